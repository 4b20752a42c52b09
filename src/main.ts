import { setMaxListeners } from 'node:events';
import { isatty } from 'node:tty';
import { createApp } from './app.ts';
import type { Command } from './commands/command.ts';
import { readGlobals, splitCommandLine, toCommandLine } from './commands/command-line.ts';
import { describeCommands, loadCommand } from './commands/find.ts';
import { refuseSwallowedFlags } from './commands/npm-flags.ts';
import { exitCodes, Failure } from './lib/failure.ts';
import { listenForSignals } from './signals.ts';
import { describeFailure, toFailureValue } from './ui/failure.ts';
import { createUi } from './ui/ui.ts';

const argv = process.argv.slice(2);
const { noColor, ...globals } = readGlobals(argv);
const ui = createUi({
  ...globals,
  stdout: process.stdout,
  stderr: process.stderr,
  interactive: isatty(0) && isatty(2),
  color: !noColor && !process.env.NO_COLOR,
});
const run = new AbortController();
// Every program that runs listens to it, and many run at once.
setMaxListeners(0, run.signal);

process.exit(await main().catch(report));

async function main(): Promise<number> {
  const { name, args } = splitCommandLine(argv);
  if (name === undefined) return printCommands(args);
  const command = await loadCommand(name);
  await refuseSwallowedFlags({ name, command, args, env: process.env });
  const { parseInput } = await import('./commands/parse.ts');
  const parsed = parseInput(name, command, args);
  if (parsed.help !== undefined) return print(parsed.help);

  listen(command, toCommandLine(name, args));
  const exitCode = await command.run(createApp({ ui, signal: run.signal, name, args }), parsed.input);
  run.signal.throwIfAborted();
  return exitCode ?? exitCodes.ok;
}

function printCommands(args: readonly string[]): number {
  const unknown = args.find((arg) => arg !== '--help' && arg !== '-h');
  if (unknown === undefined) return print(describeCommands());
  throw new Failure(`a command is missing before ${unknown}`, {
    hint: 'npm run wealist -- --help',
    exitCode: exitCodes.usage,
  });
}

function print(text: string): number {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  return exitCodes.ok;
}

function listen(command: Command, commandLine: string): void {
  listenForSignals({
    abort: (reason) => run.abort(reason),
    commandLine,
    force: (exitCode) => process.exit(exitCode),
    underNpm: process.env.npm_lifecycle_event !== undefined,
  });
  // Whoever read stops, or the terminal is gone: what changes something goes on, what only prints has nothing left to do.
  for (const output of [process.stdout, process.stderr]) {
    output.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
      if (command.onlyPrints) run.abort(new Failure('nobody reads the output', { exitCode: exitCodes.ok }));
    });
  }
}

/** Tells the person why it ended, and the caller with which exit code. */
function report(error: unknown): number {
  // Whatever fails after Ctrl-C fails because of it.
  const reason = run.signal.aborted ? run.signal.reason : error;
  if (!(reason instanceof Failure)) {
    ui.warn(describeFailure(reason, ui.colors));
    return exitCodes.bug;
  }
  if (reason.exitCode !== exitCodes.ok) ui.warn(describeFailure(reason, ui.colors));
  if (ui.json) ui.result({ error: toFailureValue(reason) }, '');
  return reason.exitCode;
}
