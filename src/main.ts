import { setMaxListeners } from 'node:events';
import { isatty } from 'node:tty';
import { createApp } from './app.ts';
import type { Command } from './cli/command.ts';
import { readGlobals, splitCommandLine, toCommandLine } from './cli/command-line.ts';
import { rejectSwallowedFlags } from './cli/npm-flags.ts';
import { describeCommands, loadCommand } from './commands/find-command.ts';
import { exitCodes, Failure } from './lib/failure.ts';
import { toSystemFailure } from './lib/system-failure.ts';
import { listenForSignals } from './signals.ts';
import type { RunFailure } from './state/run-entries.ts';
import type { RunLog } from './state/run-log.ts';
import { takeRunOrigin, toRunVariables } from './state/run-origin.ts';
import { isOtherCharset, writeAscii } from './ui/charset.ts';
import { readColorChoice } from './ui/color-choice.ts';
import { describeFailure, toFailureValue } from './ui/failure.ts';
import { createUi } from './ui/ui.ts';

const argv = process.argv.slice(2);
const { noColor, ...globals } = readGlobals(argv);
const ui = createUi({
  ...globals,
  stdout: process.stdout,
  stderr: process.stderr,
  interactive: isatty(0) && isatty(2),
  color: noColor ? 'never' : readColorChoice(process.env),
});
const run = new AbortController();
// Every running program adds a listener, and many run at the same time.
setMaxListeners(0, run.signal);
const origin = takeRunOrigin(process.env);
let runningCommand: Command | undefined;
let runLog: RunLog | undefined;
let reported: RunFailure | undefined;

if (isOtherCharset(process.env)) {
  for (const output of [process.stdout, process.stderr]) if (output.isTTY) writeAscii(output);
}

// When the output is closed, a command that changes something continues, and one that only prints ends.
for (const output of [process.stdout, process.stderr]) {
  output.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
    if (runningCommand?.onlyPrints) run.abort(new Failure('output closed', { exitCode: exitCodes.ok }));
  });
}

const exitCode = await main().catch(reportFailure);
await runLog?.end({ exitCode, failure: reported });
process.exit(exitCode);

async function main(): Promise<number> {
  const { name, args } = splitCommandLine(argv);
  if (name === undefined) return printCommands(args);
  const command = await loadCommand(name);
  await rejectSwallowedFlags({ name, command, args, env: process.env });
  const { parseInput } = await import('./cli/parse.ts');
  const parsed = parseInput(name, command, args);
  if (parsed.help !== undefined) return print(parsed.help);

  runningCommand = command;
  if (await lacksGroup()) return repeatInGroup();
  const stopListening = listenForSignals({
    abort: (reason) => run.abort(reason),
    commandLine: toCommandLine(name, args),
    force: (exitCode) => process.exit(exitCode),
    isRunByNpm: process.env.npm_lifecycle_event !== undefined,
  });
  try {
    const created = createApp({ ui, signal: run.signal, name, args, ...origin });
    runLog = created.runLog;
    const exitCode = await command.run(created.app, parsed.input);
    run.signal.throwIfAborted();
    return exitCode ?? exitCodes.ok;
  } catch (error) {
    // `up` has installed the engine, and added this user to its group.
    if (run.signal.aborted || !(await isDenied(error)) || !(await lacksGroup())) throw error;
    stopListening();
    ui.say('continuing with the new group');
    return repeatInGroup();
  }
}

async function isDenied(error: unknown): Promise<boolean> {
  const { EngineFailure } = await import('./machine/engine-failure.ts');
  return error instanceof EngineFailure && error.problem === 'denied';
}

/** Whether this session is older than its user's membership in the group of the engine's socket. */
async function lacksGroup(): Promise<boolean> {
  if (process.env.WEALIST_IN_GROUP !== undefined) return false;
  const { lacksNewGroup } = await import('./machine/new-group.ts');
  return lacksNewGroup();
}

/** Runs this program again, with the same arguments and the group. Resolves to its exit code. */
async function repeatInGroup(): Promise<number> {
  const { engineGroup } = await import('./machine/new-group.ts');
  const { runInGroup } = await import('./run-in-group.ts');
  const argv = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  // It goes on with the record of this run.
  const variables = toRunVariables({ ...origin, runId: runLog?.id ?? origin.runId });
  return runInGroup(engineGroup, argv, { ...process.env, ...variables });
}

function printCommands(args: readonly string[]): number {
  const unknown = args.find((arg) => arg !== '--help' && arg !== '-h');
  if (unknown === undefined) return print(describeCommands());
  throw new Failure(`${unknown} is given without a command`, {
    hint: 'npm run wealist -- --help',
    exitCode: exitCodes.usage,
  });
}

function print(text: string): number {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  return exitCodes.ok;
}

/** Prints why the run failed and returns the exit code. */
function reportFailure(error: unknown): number {
  if (run.signal.aborted) return reportEarlyEnd(run.signal.reason, error);
  const failure = error instanceof Failure ? error : toSystemFailure(error);
  printFailure(failure ?? error);
  return failure?.exitCode ?? exitCodes.bug;
}

/** Ctrl-C is the normal way to end a command that only prints or hands the terminal over, so nothing is printed then. */
function reportEarlyEnd(reason: Failure, error: unknown): number {
  if (runningCommand?.onlyPrints || runningCommand?.passThrough || runningCommand?.handsOverTerminal)
    return reason.exitCode;
  // Failures of steps are printed, since they came before the end; any other error is a result of it.
  const failed = error instanceof Failure && error.cause instanceof AggregateError;
  printFailure(failed ? error : reason);
  return reason.exitCode;
}

function printFailure(error: unknown): void {
  reported = toRunFailure(error);
  ui.warn(describeFailure(error, ui.colors));
  if (ui.json) ui.result({ error: toFailureValue(error) }, '');
}

function toRunFailure(error: unknown): RunFailure {
  if (error instanceof Failure) return { message: error.message, hint: error.hint };
  return { message: String(error) };
}
