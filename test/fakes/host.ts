import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Host, type HostOptions, readHost } from '../../src/machine/host.ts';
import type { Exec } from '../../src/tools/exec.ts';
import { exec as realExec } from '../../src/tools/exec.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

export interface FakeHostOptions extends HostOptions {
  /** Contents of files by path below the host's root. */
  readonly files?: Readonly<Record<string, string>>;
  /** Shell scripts by name of the program on the host's PATH. Each call is logged. */
  readonly programs?: Readonly<Record<string, string>>;
}

export interface FakeHost {
  readonly host: Host;
  readonly root: string;
  /** Runs the host's programs, or else those of this machine. */
  readonly exec: Exec;
  /** The executed command lines, oldest first. */
  calls(): Promise<readonly string[]>;
}

export const debian = {
  'etc/os-release':
    'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n',
};
/** Process capabilities without CAP_SYS_RESOURCE, as in many sandboxes, and with all. */
export const withheld = { 'proc/self/status': 'Name:\tnode\nCapBnd:\t000001fffeffffff\nSeccomp:\t0\n' };
export const granted = { 'proc/self/status': 'Name:\tnode\nCapBnd:\t000001ffffffffff\nSeccomp:\t0\n' };

/** A machine in a folder with its own files and programs, isolated from the machine that runs the test. */
export async function makeHost({
  files = {},
  programs = {},
  env = {},
  ...options
}: FakeHostOptions = {}): Promise<FakeHost> {
  const root = await makeTemporaryFolder();
  const log = join(root, 'calls');
  const bin = join(root, 'bin');
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  await mkdir(bin, { recursive: true });
  for (const [name, script] of Object.entries(programs)) {
    await writeFile(join(bin, name), `#!/bin/sh\necho "${name} $*" >>'${log}'\nROOT='${root}'\n${script}\n`);
    await chmod(join(bin, name), 0o755);
  }
  const host = await readHost({
    root,
    env: { PATH: bin, ...env },
    home: join(root, 'home'),
    platform: 'linux',
    user: 'root',
    uid: 0,
    ...options,
  });
  return {
    host,
    root,
    exec: (program, args, rest) =>
      realExec(program, args, { ...rest, env: { ...rest?.env, PATH: `${bin}:${process.env.PATH}` } }),
    async calls() {
      const text = await readFile(log, 'utf8').catch(() => '');
      return text.split('\n').filter((line) => line !== '');
    },
  };
}
