import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'vitest';
import { findProcess, listDescendants, type Process } from '../../src/lib/processes.ts';

/** The result of a command. */
export interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  /** Null when the command was killed by a signal. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly seconds: number;
}

/** A running command in its own process group, as on a terminal. */
export interface Running {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** The stdout so far. */
  printed(): string;
  /** Resolves when stdout or stderr contains the text. @throws {Error} with the output when the command ends before. */
  said(text: string): Promise<void>;
  /** Signals every process of the group, like Ctrl-C. */
  signalGroup(signal: NodeJS.Signals): void;
  /** Signals only the first process, like a supervisor. */
  signal(signal: NodeJS.Signals): void;
  /** Kills the command and its descendants with SIGKILL. */
  kill(): Promise<void>;
}

/** Starts a command without a terminal and without input. */
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
          else reject(new Error(`the command ended without printing ${text}:\n${stdout}${stderr}`));
        };
        waiting.add(look);
        look();
      });
    },
    signalGroup: (signal) => void process.kill(-pid, signal),
    signal: (signal) => void process.kill(pid, signal),
    async kill() {
      // Descendants may have left the process group.
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

/** Waits until these processes have ended. */
export async function expectGone(processes: readonly Process[]): Promise<void> {
  const listAlive = async () => {
    const found = await Promise.all(processes.map(({ pid }) => findProcess(pid)));
    return found.filter((each, at) => each?.started === processes[at]?.started && each !== undefined);
  };
  await expect.poll(listAlive).toEqual([]);
}
