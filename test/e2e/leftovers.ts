import { readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProcess } from '../../src/lib/processes.ts';
import { exec } from '../../src/tools/exec.ts';
import { unmountBelow } from './small-disk.ts';

/** Prefix of the tests' folders. It is followed by the PID of the run, so that a later run can detect leftovers. */
export const folderPrefix = 'wealist-e2e-';

/**
 * Removes the leftovers of killed test runs: their folders, and cluster nodes that mount data from such a folder. All
 * other containers are preserved.
 */
export async function removeLeftovers(): Promise<void> {
  await removeNodes(async (mounted) => isLeftover(mounted));
  for (const name of await readdir(tmpdir())) {
    const folder = join(tmpdir(), name);
    if (!(await isLeftover(folder))) continue;
    await unmountBelow(folder);
    await rm(folder, { recursive: true, force: true });
  }
}

/** Removes the nodes of kind clusters that mount a matching path, with their anonymous volumes. */
export async function removeNodes(isOurs: (mounted: string) => boolean | Promise<boolean>): Promise<void> {
  for (const id of await docker('ps', '--all', '--quiet', '--filter=label=io.x-k8s.kind.cluster')) {
    const mounts = await docker('inspect', '--format={{range .Mounts}}{{println .Source}}{{end}}', id);
    const ours = await Promise.all(mounts.map(isOurs));
    if (ours.includes(true)) await docker('rm', '--force', '--volumes', id);
  }
}

/** Whether a test run that is no longer running created this path. */
async function isLeftover(path: string): Promise<boolean> {
  const prefix = join(tmpdir(), folderPrefix);
  const pid = path.startsWith(prefix) ? /^(\d+)-/.exec(path.slice(prefix.length))?.[1] : undefined;
  return pid !== undefined && (await findProcess(Number(pid))) === undefined;
}

/** The output lines of docker; none without a client or an engine, since then there are no leftovers. */
async function docker(...args: string[]): Promise<readonly string[]> {
  const { stdout } = await exec('docker', args).catch(() => ({ stdout: '' }));
  return stdout.split('\n').filter(Boolean);
}
