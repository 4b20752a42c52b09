import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandFailure, Failure } from '../../lib/failure.ts';
import type { Exec, ExecOptions, ExecResult } from '../../tools/exec.ts';
import { findHint } from '../../tools/hints.ts';
import type { Host } from '../host.ts';

/** Does what only root may: directly, or through sudo. */
export interface Root {
  /** @throws {Failure} when this user is not root and there is no sudo. */
  run(program: string, args: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  /** Puts a file in place with this mode, in folders made as needed. */
  writeFile(path: string, content: string, mode: string): Promise<void>;
  /** A path below `/`, as this host has it. */
  path(path: string): string;
  /** A command line as a person would type it here. */
  show(line: string): string;
}

export function createRoot(host: Host, exec: Exec): Root {
  const run: Root['run'] = async (program, args, options = {}) => {
    if (host.isRoot) return exec(program, args, options);
    if (!host.hasSudo) {
      throw new Failure(`${program} must be run by root, and sudo is not installed`, {
        hint: `su -c '${[program, ...args].join(' ')}'`,
      });
    }
    // sudo drops the environment, so what the program must see is named again. -n: it never asks behind the display.
    const { env = {}, ...rest } = options;
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    try {
      return await exec('sudo', ['-n', '--', 'env', ...variables, program, ...args], rest);
    } catch (error) {
      if (!(error instanceof CommandFailure) || error.hint !== undefined) throw error;
      // What it said is the program's, and so is the hint.
      const hint = findHint(program, error.stderr);
      throw new CommandFailure(error.message.replace(/^sudo /, `${program} `), {
        ...error,
        cause: error.cause,
        hint,
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

/** Asks for sudo's password on the terminal, once, so that nothing asks for it in the middle of the progress display. */
export async function unlockRoot(host: Host, exec: Exec): Promise<void> {
  if (!host.isRoot && host.hasSudo) await exec('sudo', ['-v'], { inherit: true });
}
