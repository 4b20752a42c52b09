import { lstat, readdir, readlink, rm, rmdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { exitCodes, Failure } from '../lib/failure.ts';
import type { Step } from '../plan/plan.ts';
import { isMissing } from '../state/atomic-file.ts';
import type { VolumeFolders } from '../tools/volume-folders.ts';

/**
 * In this order, after the volumes and whatever else is there: databases never remain without the secrets that open them,
 * and the marks of the owners go last, by which the data folder can be deleted again after a failure.
 */
const lastEntries = ['snapshots', 'secrets.yaml', 'owners'];

/** The data of a cluster's volumes, and the snapshots and secrets for it, are deleted. */
export function deleteData(folder: string, volumes: Pick<VolumeFolders, 'erase'>): Step {
  return {
    title: 'delete the data',
    async isDone() {
      return (await findEntry(folder)) === undefined && 'no data exists';
    },
    async apply({ signal, report }) {
      await requireNoLinks(folder);
      report('deleting the volumes');
      await volumes.erase(signal);
      const others = (await readdir(folder)).filter((name) => !lastEntries.includes(name));
      for (const name of [...others, ...lastEntries]) {
        signal.throwIfAborted();
        await rm(join(folder, name), { recursive: true, force: true });
      }
      await rmdir(folder);
    },
  };
}

/**
 * Refuses a data folder that is a symbolic link, or has one where a folder of data is expected: only the link would be
 * deleted, and the data would stay.
 * @throws {Failure} exit code 9 that names the link.
 */
export async function requireNoLinks(folder: string): Promise<void> {
  const levels = [
    [folder],
    await listPaths(folder),
    await listPaths(join(folder, 'volumes')),
    (await Promise.all((await listPaths(join(folder, 'volumes'))).map(listPaths))).flat(),
    await listPaths(join(folder, 'snapshots')),
  ];
  for (const path of levels.flat()) {
    if (!(await findEntry(path))?.isSymbolicLink()) continue;
    const target = resolve(path, '..', await readlink(path));
    throw new Failure(`${path} is a symbolic link to ${target}: its data are not deleted`, {
      cause: 'only the link would be deleted, and what it points to would stay',
      hint: `rm '${path}' && mv '${target}' '${path}', then npm run down -- --delete-data`,
      exitCode: exitCodes.refused,
    });
  }
}

/** What is in the folder; nothing where it does not exist or this user may not read it. */
async function listPaths(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.map((name) => join(folder, name));
}

async function findEntry(path: string) {
  return lstat(path).catch((error) => {
    if (!isMissing(error)) throw error;
  });
}
