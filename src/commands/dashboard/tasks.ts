import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { App } from '../../cli/command.ts';
import { toCommandLine } from '../../cli/command-line.ts';
import type { DashboardState, TaskView } from '../../dashboard/dashboard-state.ts';
import type { Action, FailureView } from '../../dashboard/protocol.ts';
import { CommandFailure, exitCodes, Failure } from '../../lib/failure.ts';
import { toRunVariables } from '../../state/run-origin.ts';

export interface TaskResult {
  readonly exitCode: number;
  readonly error?: FailureView | undefined;
  /** What the command printed with `--json`. */
  readonly value?: unknown;
}

export interface TasksDeps {
  readonly app: Pick<App, 'exec' | 'paths' | 'signal'>;
  readonly update: (change: (state: DashboardState) => DashboardState) => void;
}

/** Programs of this tool, started as a user would: they take the lock, record their run, and ask for consent. */
export interface Tasks {
  /** Resolves when the program has ended. It is done if its exit code is 0. */
  start(action: Action): Promise<TaskResult>;
  /** Ends a program that `start` has started. */
  stop(id: string): void;
  /** Runs a command that changes nothing, without showing it. */
  ask(command: string, args: readonly string[]): Promise<TaskResult>;
}

/** Lines of its output that a task shows, and how many tasks are shown once they have ended. */
const shownLines = 40;
const shownTasks = 20;

export function createTasks({ app, update }: TasksDeps): Tasks {
  const running = new Map<string, AbortController>();

  /** A program of the same checkout, without a terminal, so that it asks nothing. */
  async function run(
    args: readonly string[],
    {
      id,
      signal,
      onLine,
    }: { readonly id?: string; readonly signal: AbortSignal; readonly onLine?: (line: string) => void },
  ): Promise<TaskResult> {
    const bin = join(app.paths.checkout, 'src/bin.js');
    try {
      const { stdout } = await app.exec(process.execPath, [bin, ...args], {
        cwd: app.paths.checkout,
        env: { ...toRunVariables({ trigger: 'dashboard', runId: id }), NO_COLOR: '1' },
        signal,
        ...(onLine ? { onLine } : {}),
      });
      return { exitCode: 0, value: parseLast(stdout) };
    } catch (error) {
      app.signal.throwIfAborted();
      if (signal.aborted) return { exitCode: exitCodes.terminated };
      if (!(error instanceof CommandFailure)) throw error;
      const value = parseLast(error.stdout);
      return { exitCode: error.status ?? 1, value, error: toFailure(value, error) };
    }
  }

  function show(task: TaskView): void {
    update((state) => {
      const others = Object.values(state.tasks).filter(({ id }) => id !== task.id);
      const ended = others.filter(({ end }) => end !== undefined).slice(-shownTasks);
      const kept = [...others.filter(({ end }) => end === undefined), ...ended, task];
      return { ...state, tasks: Object.fromEntries(kept.map((each) => [each.id, each])) };
    });
  }

  return {
    async start(action) {
      const id = randomUUID();
      const own = new AbortController();
      running.set(id, own);
      const services = 'services' in action ? action.services : [];
      const args = [...(action.action === 'watch' ? ['--watch'] : []), ...services];
      const command = action.action === 'up' ? 'up' : 'reload';
      const json = action.action === 'watch' ? [] : ['--json'];
      let task: TaskView = {
        ...{ id, kind: action.action, services, command: toCommandLine(command, args), lines: [] },
        start: new Date().toISOString(),
      };
      show(task);
      const signal = AbortSignal.any([app.signal, own.signal]);
      const onLine = (line: string) => {
        if (line.startsWith('{')) return;
        task = { ...task, lines: [...task.lines, toProgress(line)].slice(-shownLines) };
        show(task);
      };
      const result = await run([command, ...args, ...json], { id, signal, onLine });
      running.delete(id);
      show({ ...task, end: new Date().toISOString(), exitCode: result.exitCode });
      return result;
    },
    stop: (id) => running.get(id)?.abort(new Failure('stopped from the dashboard')),
    ask: (command, args) => run([command, ...args, '--json'], { signal: app.signal }),
  };
}

/** A line of progress without its time of day. */
const toProgress = (line: string) => line.replace(/^\d\d:\d\d:\d\d\s+/, '').trim();

/** The last document of an output with one per line. */
function parseLast(stdout: string): unknown {
  const last = stdout.trimEnd().split('\n').at(-1) ?? '';
  if (!last.startsWith('{')) return undefined;
  try {
    return JSON.parse(last);
  } catch {
    // It was cut off, as when the program was killed.
    return undefined;
  }
}

/** The failure that the program printed; without one, the last line of its output. */
function toFailure(value: unknown, { stderr, message }: CommandFailure): FailureView | undefined {
  const { error } = (value ?? {}) as { readonly error?: Readonly<Record<string, unknown>> };
  if (error === undefined) {
    // A check that has failed is no failure of the program.
    if (value !== undefined) return undefined;
    return { message: stderr.trimEnd().split('\n').at(-1) || message };
  }
  const because = Array.isArray(error.because) ? error.because.join('; ') : undefined;
  return {
    message: String(error.message),
    ...(because ? { because } : {}),
    ...(typeof error.hint === 'string' ? { fix: error.hint } : {}),
  };
}
