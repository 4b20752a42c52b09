import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { findProcess } from '../lib/processes.ts';
import type { Exec } from './exec.ts';

const prefix = 'wealist-root-';

/**
 * Where roots of Debian packages are unpacked: the folder that the user has chosen for temporary files, else /var/tmp.
 * /tmp is often in memory, and without root the packages belong to other user IDs, which may not enter a private home.
 */
export function toRootsFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env.TMPDIR || '/var/tmp';
}

/** Runs `work` with a folder of its own below `parent`, which is removed afterwards, and with it what killed runs left. */
export async function withRootFolder<T>(
  parent: string,
  exec: Exec,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  await removeLeftovers(parent, exec);
  const folder = await mkdtemp(join(parent, `${prefix}${process.pid}-`));
  try {
    // Other user IDs must be able to pass through.
    await chmod(folder, 0o711);
    return await work(folder);
  } finally {
    await removeRoots(folder, exec);
  }
}

async function removeLeftovers(parent: string, exec: Exec): Promise<void> {
  for (const name of await readdir(parent).catch(() => [])) {
    const pid = /^(\d+)-/.exec(name.startsWith(prefix) ? name.slice(prefix.length) : '')?.[1];
    if (pid !== undefined && !(await findProcess(Number(pid)))) await removeRoots(join(parent, name), exec);
  }
}

/** Removes a folder as far as possible: another user's stays, and one of a machine without mmdebstrap. */
async function removeRoots(folder: string, exec: Exec): Promise<void> {
  if (await isRemoved(folder)) return;
  // What mmdebstrap has unpacked without root belongs to user IDs that only it can act as.
  const roots = (await readdir(folder).catch(() => [])).map((name) => join(folder, name));
  await exec('mmdebstrap', ['--unshare-helper', 'rm', '-rf', '--', ...roots]).catch(() => undefined);
  await isRemoved(folder);
}

async function isRemoved(folder: string): Promise<boolean> {
  return rm(folder, { recursive: true, force: true }).then(
    () => true,
    () => false,
  );
}
