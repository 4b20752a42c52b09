import { exitCodes, Failure } from './lib/failure.ts';
import { listDescendants } from './lib/processes.ts';

export interface SignalOptions {
  /** Called once, with a Failure that says what happened. */
  readonly abort: (reason: Failure) => void;
  /** What the person typed, to be typed again. */
  readonly commandLine: string;
  /** Ends this process without another word, the programs it started having been killed. */
  readonly force: (exitCode: number) => void;
  /** Milliseconds within which a second signal is the same key press: npm passes Ctrl-C on once more. */
  readonly debounce?: number;
  /** Milliseconds an orderly end may take. */
  readonly timeout?: number;
  /** Started by npm, which this process does not outlive. */
  readonly isRunByNpm: boolean;
}

/**
 * The first Ctrl-C, SIGTERM or closed terminal aborts the run; what was changed until then stays, for the next run to
 * go on from. A later one, or no end after `timeout`, kills the programs that were started and forces the end.
 */
export function listenForSignals({
  abort,
  commandLine,
  force,
  debounce = 1_000,
  timeout = 10_000,
  isRunByNpm,
}: SignalOptions): void {
  let first: number | undefined;

  function end(message: string, exitCode: typeof exitCodes.interrupted | typeof exitCodes.terminated): void {
    const now = performance.now();
    if (first === undefined) {
      first = now;
      abort(new Failure(message, { hint: commandLine, exitCode }));
      setTimeout(() => void killAndForce(exitCode), timeout).unref();
    } else if (now - first > debounce) {
      void killAndForce(exitCode);
    }
  }

  async function killAndForce(exitCode: number): Promise<void> {
    for (const { pid } of await listDescendants(process.pid)) kill(pid);
    force(exitCode);
  }

  process.on('SIGINT', () => end('interrupted', exitCodes.interrupted));
  process.on('SIGHUP', () => end('the terminal was closed', exitCodes.interrupted));
  process.on('SIGTERM', () => end('terminated', exitCodes.terminated));
  if (isRunByNpm) onParentExit(() => end('npm has exited', exitCodes.terminated));
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself in the meantime.
  }
}

/** npm killed with SIGKILL tells nobody; its children get another parent. */
function onParentExit(ended: () => void): void {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    ended();
  }, 1_000);
  watch.unref();
}
