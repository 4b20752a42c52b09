import { exitCodes, Failure } from './lib/failure.ts';
import { listDescendants } from './lib/processes.ts';
import { listUninterruptible, waitForUninterruptible } from './lib/uninterruptible.ts';

export interface SignalOptions {
  /** Called once, with a Failure that says what happened. */
  readonly abort: (reason: Failure) => void;
  /** The command line, shown as the way to run it again. */
  readonly commandLine: string;
  /** Ends this process immediately; called after the programs that it started were killed. */
  readonly force: (exitCode: number) => void;
  /** Milliseconds within which a second signal counts as the same key press, since npm forwards Ctrl-C as well. */
  readonly debounce?: number;
  /** Milliseconds that a graceful end may take. */
  readonly timeout?: number;
  /** Started by npm: this process ends when npm does. */
  readonly isRunByNpm: boolean;
}

/**
 * The first Ctrl-C, SIGTERM or closed terminal aborts the run; changes made so far remain, and the next run continues
 * from them. A second one, or no end within `timeout`, kills the started programs and ends this process. A program
 * that must not stop in the middle (`lib/uninterruptible.ts`) is never killed, and only a second signal does not wait for it.
 * Returns a function that ends the listening.
 */
export function listenForSignals({
  abort,
  commandLine,
  force,
  debounce = 1_000,
  timeout = 10_000,
  isRunByNpm,
}: SignalOptions): () => void {
  let first: number | undefined;

  function end(message: string, exitCode: typeof exitCodes.interrupted | typeof exitCodes.terminated): void {
    const now = performance.now();
    if (first === undefined) {
      first = now;
      abort(new Failure(message, { hint: commandLine, exitCode }));
      setTimeout(() => void forceAtEnd(exitCode), timeout).unref();
    } else if (now - first > debounce) {
      void killAndForce(exitCode);
    }
  }

  async function forceAtEnd(exitCode: number): Promise<void> {
    // What follows such work has its own time to end in order.
    if (await waitForUninterruptible()) setTimeout(() => void forceAtEnd(exitCode), timeout).unref();
    else await killAndForce(exitCode);
  }

  async function killAndForce(exitCode: number): Promise<void> {
    const roots = await listUninterruptible();
    const below = await Promise.all(roots.map(listDescendants));
    const spared = new Set([...roots, ...below.flat().map(({ pid }) => pid)]);
    for (const { pid } of await listDescendants(process.pid)) if (!spared.has(pid)) kill(pid);
    force(exitCode);
  }

  const listeners = {
    SIGINT: () => end('interrupted', exitCodes.interrupted),
    SIGHUP: () => end('the terminal was closed', exitCodes.interrupted),
    SIGTERM: () => end('terminated', exitCodes.terminated),
  };
  for (const [signal, listener] of Object.entries(listeners)) process.on(signal, listener);
  const stopWatching = isRunByNpm
    ? onParentExit(() => end('npm has exited', exitCodes.terminated))
    : () => {};
  return () => {
    for (const [signal, listener] of Object.entries(listeners)) process.off(signal, listener);
    stopWatching();
  };
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // The process has already ended.
  }
}

/**
 * Calls `ended` when this process gets another parent: npm killed with SIGKILL cannot notify its children. Returns a
 * function that ends the watch.
 */
export function onParentExit(ended: () => void): () => void {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    ended();
  }, 1_000);
  watch.unref();
  return () => clearInterval(watch);
}
