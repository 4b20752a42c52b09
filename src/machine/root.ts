import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../lib/failure.ts';
import { type ExecOptions, type ExecResult, exec } from '../tools/exec.ts';
import type { Host } from './host.ts';

/** Runs programs and writes files as root: directly, or through sudo. */
export interface Root {
  run(program: string, args: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  /** Puts a file in place with this mode, in folders made as needed. */
  writeFile(path: string, content: string, mode: string): Promise<void>;
  /** Asks for sudo's password now, on the terminal, so that nothing asks in the middle of the progress display. */
  unlock(): Promise<void>;
  /** A command line as a person would type it here. */
  show(line: string): string;
}

/** @throws {Failure} at the first use when this user is not root and has no sudo. */
export function createRoot(host: Host): Root {
  const run: Root['run'] = async (program, args, options) => {
    if (host.isRoot) return exec(program, args, options);
    if (!host.hasSudo) {
      throw new Failure(`${program} needs root, and sudo is not installed`, {
        hint: `as root: ${[program, ...args].join(' ')}`,
      });
    }
    // sudo drops the environment, so what the program must see travels in its argument list.
    const { env = {}, ...rest } = options ?? {};
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    return exec('sudo', ['-n', '--', 'env', ...variables, program, ...args], rest);
  };
  return {
    run,
    async writeFile(path, content, mode) {
      if ((await readFile(path, 'utf8').catch(() => undefined)) === content) return;
      const folder = await mkdtemp(join(tmpdir(), 'wealist-'));
      try {
        const file = join(folder, 'content');
        await writeFile(file, content, { mode: 0o600 });
        await run('install', ['-D', '-m', mode, file, path]);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
    async unlock() {
      if (!host.isRoot && host.hasSudo) await exec('sudo', ['-v'], { inherit: true });
    },
    show: (line) => (host.isRoot ? line : `sudo ${line}`),
  };
}
