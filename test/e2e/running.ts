import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { listDescendants } from '../../src/lib/processes.ts';

/** A command as it ended. */
export interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly seconds: number;
}

/** A command on its way, in a process group of its own, as a terminal would have it. */
export interface Running {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** Its stdout so far. */
  printed(): string;
  /** Resolves once it has printed this, to either output. @throws {Error} with its output when it ends before. */
  said(text: string): Promise<void>;
  /** To every process of the group, as Ctrl-C does. */
  signalGroup(signal: NodeJS.Signals): void;
  /** To the first process only, as a supervisor does. */
  signal(signal: NodeJS.Signals): void;
  /** Everything that it started is killed at once, without a chance to put anything in order. */
  kill(): Promise<void>;
}

/** Starts a command without a terminal and without anything to read. */
export function start(
  [program = '', ...args]: readonly string[],
  { cwd, env }: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Running {
  const started = performance.now();
  const child = spawn(program, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${program} cannot be started`);

  let stdout = '';
  let stderr = '';
  let isEnded = false;
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const look of waiting) look();
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    wake();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    wake();
  });
  const ended = once(child, 'close').then(([exitCode, signal]): Ended => {
    isEnded = true;
    wake();
    return { stdout, stderr, exitCode, signal, seconds: (performance.now() - started) / 1000 };
  });

  return {
    pid,
    ended,
    printed: () => stdout,
    said(text) {
      return new Promise((resolve, reject) => {
        const look = () => {
          const isSaid = stdout.includes(text) || stderr.includes(text);
          if (!isSaid && !isEnded) return;
          waiting.delete(look);
          if (isSaid) resolve();
          else reject(new Error(`it ended without having said ${text}:\n${stdout}${stderr}`));
        };
        waiting.add(look);
        look();
      });
    },
    signalGroup: (signal) => void process.kill(-pid, signal),
    signal: (signal) => void process.kill(pid, signal),
    async kill() {
      // Those first that have left the group.
      for (const each of await listDescendants(pid)) killOne(each.pid);
      killOne(-pid);
      await ended;
    },
  };
}

function killOne(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
