import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hash } from '../../../src/lib/hash.ts';
import { createDebian, type DebianRoot } from '../../../src/tools/debian.ts';
import { exec } from '../../../src/tools/exec.ts';
import { toRootsFolder } from '../../../src/tools/root-folder.ts';

/** A small installation of Debian 13 with sudo, as from a server's installer or in the cloud, and without Docker. */
const debian: DebianRoot = {
  suite: 'trixie',
  variant: 'minbase',
  packages: [
    ...[
      'bsdextrautils',
      'bsdutils',
      'ca-certificates',
      'curl',
      'git',
      'iproute2',
      'iptables',
      'kmod',
      'less',
    ],
    ...['login', 'openssl', 'passwd', 'procps', 'psmisc', 'sudo', 'xz-utils'],
  ],
};

const repository = 'wealist.local/machine';

/** The image of the machine: made once from Debian's packages, of the mirrors that this machine uses. */
export async function ensureMachineImage(report: (line: string) => void): Promise<string> {
  const image = `${repository}:${hash(debian).slice(0, 12)}`;
  const { stdout } = await exec('docker', ['images', '--quiet', image]);
  if (stdout.trim() !== '') return image;
  const folder = await mkdtemp(join(toRootsFolder(), 'wealist-machine-'));
  try {
    const tar = join(folder, 'root.tar');
    const { stdout: architecture } = await exec('dpkg', ['--print-architecture']);
    const run = { signal: new AbortController().signal, report };
    await createDebian(exec).makeRoot(debian, architecture.trim(), tar, run);
    await exec('docker', ['import', '-', image], { input: createReadStream(tar) });
    return image;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
