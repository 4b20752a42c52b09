import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandFailure, Failure } from '../../lib/failure.ts';
import type { Exec, ExecOptions, ExecResult } from '../../tools/exec.ts';
import { type FailureRules, systemFailures } from '../../tools/failure-rules.ts';
import type { Host } from '../host.ts';

/** Runs what only root may run: directly, or through sudo. */
export interface Root {
  /** @throws {Failure} when this user is not root and sudo is not installed. */
  run(program: string, args: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  /** Installs a file with this mode; creates its folders as needed. */
  writeFile(path: string, content: string, mode: string): Promise<void>;
  /** A path below `/`, as this host has it. */
  path(path: string): string;
  /** A command line as the user would type it here. */
  show(line: string): string;
}

export function createRoot(host: Host, exec: Exec): Root {
  const run: Root['run'] = async (program, args, options = {}) => {
    if (host.isRoot) return exec(program, args, options);
    if (!host.hasSudo) {
      throw new Failure(`${program} must be run as root, and sudo is not installed`, {
        hint: `su -c '${[program, ...args].join(' ')}'`,
      });
    }
    // sudo drops the environment, so the variables are passed by env. -n: it must not prompt behind the progress display.
    const { env = {}, failures = systemFailures, ...rest } = options;
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    try {
      return await exec('sudo', ['-n', '--', 'env', ...variables, program, ...args], {
        ...rest,
        failures: throughSudo(failures),
      });
    } catch (error) {
      if (!(error instanceof CommandFailure)) throw error;
      // The error is that of the program, not of sudo.
      throw new CommandFailure(error.message.replace(/^sudo /, `${program} `), {
        ...error,
        cause: error.cause,
      });
    }
  };
  return {
    run,
    async writeFile(path, content, mode) {
      if ((await readFile(path, 'utf8').catch(() => undefined)) === content) return;
      const folder = await mkdtemp(join(tmpdir(), 'wealist-'));
      try {
        const file = join(folder, 'content');
        await writeFile(file, content, { mode: 0o600 });
        // In one move: a run that is killed leaves the old file or the new one.
        await run('install', ['-D', '-m', mode, file, `${path}.wealist-new`]);
        await run('mv', ['-f', `${path}.wealist-new`, path]);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
    path: (path) => join(host.root, path),
    show: (line) => (host.isRoot ? line : `sudo ${line}`),
  };
}

function throughSudo({ rules, ...failures }: FailureRules): FailureRules {
  const locked = {
    pattern: /^sudo: .*(?:password is required|no tty present)/m,
    hint: 'sudo -v, then run it again',
  };
  return { ...failures, rules: [locked, ...rules] };
}

/**
 * Lets sudo prompt for its password before the progress display starts. An account whose commands need no password is
 * not asked: there `sudo -v` fails where another rule wants one, as on cloud images, whose users have none.
 */
export async function unlockRoot(host: Host, exec: Exec): Promise<void> {
  if (host.isRoot || !host.hasSudo || (await needsNoPassword(exec))) return;
  await exec('sudo', ['-v'], { inherit: true, failures: systemFailures });
}

async function needsNoPassword(exec: Exec): Promise<boolean> {
  try {
    await exec('sudo', ['-n', '--', 'env', 'true'], { failures: systemFailures });
    return true;
  } catch (error) {
    if (error instanceof CommandFailure) return false;
    throw error;
  }
}
