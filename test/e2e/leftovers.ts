import { readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProcess } from '../../src/lib/processes.ts';
import { exec } from '../../src/tools/exec.ts';

/** Folders of tests are called by this and the PID of whoever made them, so that a later run can tell what is left over. */
export const folderPrefix = 'wealist-e2e-';

/**
 * Removes what test runs have left that were killed: their folders, and nodes of clusters whose data lies, or lay, in
 * such a folder. Whatever else there is in the engine is not ours.
 */
export async function removeLeftovers(): Promise<void> {
  await removeNodes(async (mounted) => isLeftOver(mounted));
  for (const name of await readdir(tmpdir())) {
    const folder = join(tmpdir(), name);
    if (await isLeftOver(folder)) await rm(folder, { recursive: true, force: true });
  }
}

/** Removes the nodes of Kind clusters that mount such a path of this machine, with their anonymous volumes. */
export async function removeNodes(isOurs: (mounted: string) => boolean | Promise<boolean>): Promise<void> {
  for (const id of await docker('ps', '--all', '--quiet', '--filter=label=io.x-k8s.kind.cluster')) {
    const mounts = await docker('inspect', '--format={{range .Mounts}}{{println .Source}}{{end}}', id);
    const ours = await Promise.all(mounts.map(isOurs));
    if (ours.includes(true)) await docker('rm', '--force', '--volumes', id);
  }
}

/** Its maker is dead; false for what no test made. */
async function isLeftOver(path: string): Promise<boolean> {
  const prefix = join(tmpdir(), folderPrefix);
  const maker = path.startsWith(prefix) ? /^(\d+)-/.exec(path.slice(prefix.length))?.[1] : undefined;
  return maker !== undefined && (await findProcess(Number(maker))) === undefined;
}

/** The lines of what docker says; none without a client or an engine, where nothing can be left either. */
async function docker(...args: string[]): Promise<readonly string[]> {
  const { stdout } = await exec('docker', args).catch(() => ({ stdout: '' }));
  return stdout.split('\n').filter(Boolean);
}
