import { chmod, mkdtemp, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import type { CheckContext, CheckResult, MakeCheck } from './check.ts';

const id = 'data-folder';
const title = 'data folder';
const move = 'set XDG_DATA_HOME to a folder';

/** Whether the databases and the S3 server can keep their files where the volumes are. */
export const checkDataFolder: MakeCheck = async (context) => {
  const { paths } = context;
  const folder = await findExisting(paths.data);
  const results: CheckResult[] = [
    ...hiddenFromSnap(context),
    ...((await keepsModes(folder))
      ? []
      : [
          fail(
            `the file system of ${folder} does not keep the mode of files: databases refuse to run, and others could read them`,
            `${move} on a file system of Linux`,
          ),
        ]),
    ...((await ignoresCase(folder))
      ? [
          warn(
            `the file system of ${folder} does not distinguish A from a: of two S3 objects with such names, one overwrites the other`,
            `${move} on a file system that does`,
          ),
        ]
      : []),
  ];
  return results.length > 0 ? results : [{ id, title, state: 'ok', detail: paths.data }];
};

const fail = (detail: string, fix: string): CheckResult => ({ id, title, state: 'fail', detail, fix });
const warn = (detail: string, fix: string): CheckResult => ({ id, title, state: 'warn', detail, fix });

/** Docker from the snap store sees the home folder without what is hidden in it. */
function hiddenFromSnap({ engine, host, paths }: CheckContext): readonly CheckResult[] {
  if (!engine?.dockerRoot.startsWith('/var/snap/')) return [];
  const parts = relative(host.home, paths.data).split('/');
  if (parts[0] === '..' || !parts.some((part) => part.startsWith('.'))) return [];
  return [
    warn(
      `Docker from the snap store may not see hidden folders such as ${paths.data}`,
      `${move} that is not hidden, or install Docker from another source than snap`,
    ),
  ];
}

/** False on FAT, on drives of Windows in WSL, and on many network file systems. */
export async function keepsModes(folder: string): Promise<boolean> {
  const probe = await mkdtemp(join(folder, '.wealist-probe-')).catch(() => undefined);
  // A folder that cannot be written to is reported when it is created.
  if (probe === undefined) return true;
  try {
    await chmod(probe, 0o700);
    return ((await stat(probe)).mode & 0o777) === 0o700;
  } catch {
    return false;
  } finally {
    await rm(probe, { recursive: true, force: true });
  }
}

/** Whether the folder is found under its name in the other case as well, as on most disks of Macs. */
async function ignoresCase(folder: string): Promise<boolean> {
  const name = basename(folder);
  const other = name === name.toUpperCase() ? name.toLowerCase() : name.toUpperCase();
  if (other === name) return false;
  const [one, two] = await Promise.all([
    stat(folder),
    stat(join(dirname(folder), other)).catch(() => undefined),
  ]);
  return two !== undefined && one.ino === two.ino && one.dev === two.dev;
}

/** The folder, or the nearest one above it that exists. */
async function findExisting(path: string): Promise<string> {
  const exists = await stat(path).then(
    () => true,
    () => false,
  );
  return exists || dirname(path) === path ? path : findExisting(dirname(path));
}
