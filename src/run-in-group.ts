import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { exitCodes } from './lib/failure.ts';
import { onParentExit } from './signals.ts';

/** Variables that the system removes from the environment of programs with the rights of another user, as `sg` is one. */
const removed = ['TMPDIR', 'LD_LIBRARY_PATH', 'LD_PRELOAD'] as const;

/**
 * Runs a program with a group that this user got after logging in, on the same terminal. Resolves to its exit code.
 * Ctrl-C reaches it through the terminal; other signals, and the end of npm, are passed on. `sg` makes the group that of
 * new files as well, which no private file depends on.
 */
export async function runInGroup(
  group: string,
  argv: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<number> {
  const child = spawn('sg', [group, '-c', toScript(argv, env)], {
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
    // With it, the program is not started a third time.
    env: { ...env, WEALIST_IN_GROUP: group },
  });
  const started = once(createInterface({ input: child.stdio[3] as Readable }), 'line');
  const passOn = async (signal: NodeJS.Signals) => {
    const [pid] = await started;
    try {
      process.kill(Number(pid), signal);
    } catch {
      // It has already ended.
    }
  };
  // The terminal sends it to the program as well.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', passOn);
  process.on('SIGHUP', passOn);
  if (env.npm_lifecycle_event !== undefined) onParentExit(() => void passOn('SIGTERM'));
  const [status, signal] = await once(child, 'exit');
  return status ?? (signal === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated);
}

/** The line for the shell that `sg` starts: it prints its PID to file descriptor 3, and becomes the program. */
function toScript(argv: readonly string[], env: NodeJS.ProcessEnv): string {
  const restored = removed.flatMap((name) =>
    env[name] === undefined ? [] : [`${name}=${quote(env[name])}`],
  );
  const exports = restored.length === 0 ? '' : `export ${restored.join(' ')}; `;
  return `${exports}echo $$ >&3; exec ${argv.map(quote).join(' ')} 3>&-`;
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
