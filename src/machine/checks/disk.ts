import { stat, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { toBytes } from '../../lib/bytes.ts';
import { toRootsFolder } from '../../tools/root-folder.ts';
import type { CheckResult, Demand, MakeCheck } from './check.ts';

const gigabyte = 1e9;
/** Bytes of free space that are enough whatever their share of a large disk is. */
const ampleSpace = 40 * gigabyte;

/** Measured: all Go programs of the platform fill Go's caches with 13.4 GB. Estimated: what one or a few of them take. */
const goSpace = { first: 5 * gigabyte, each: 1 * gigabyte, most: 14 * gigabyte };
/** Estimated: the largest layer of Debian packages has 0.3 GB, and is in the folder beside its tar. Several are at once. */
const rootSpace = 0.5 * gigabyte;

const temporary = { files: 'temporary files', packages: 'Debian packages being unpacked' };

/** Bytes that the parts to build take in the cache, and where roots of Debian packages are unpacked. */
export function toBuildSpace({ programs, roots }: Demand['partsToBuild']) {
  const { first, each, most } = goSpace;
  const ofGo = programs === 0 ? 0 : Math.min(first + programs * each, most);
  return { cache: ofGo + roots * rootSpace, unpacked: roots * rootSpace };
}

/** The disks of images, volumes and temporary files, each checked once, for what will lie on each. */
export const checkDisk: MakeCheck = async ({ host, engine, paths, demand }) => {
  const { cache, unpacked } = toBuildSpace(demand.partsToBuild);
  const folders = [
    ...(engine && !engine.inVirtualMachine ? [{ path: engine.dockerRoot, holds: 'images', builds: 0 }] : []),
    { path: paths.cache, holds: 'cache', builds: cache },
    { path: paths.data, holds: 'data', builds: 0 },
    { path: tmpdir(), holds: temporary.files, builds: 0 },
    ...(unpacked > 0 ? [{ path: toRootsFolder(host.env), holds: temporary.packages, builds: unpacked }] : []),
  ];
  const found = await Promise.all(
    folders.map(async (folder) => ({ ...folder, ...(await readDisk(folder.path)) })),
  );
  const disks = new Map(found.map((disk) => [disk.device, disk]));
  return [...disks].map(([device, disk]) => {
    const same = found.filter((each) => each.device === device);
    const builds = same.reduce((total, each) => total + each.builds, 0);
    return toCheck({ ...disk, holds: same.map(({ holds }) => holds), builds });
  });
};

interface Disk {
  readonly device: number;
  /** Bytes that this user can still write. */
  readonly free: number;
  readonly size: number;
  readonly path: string;
}

interface CheckedDisk extends Pick<Disk, 'free' | 'size' | 'path'> {
  readonly holds: readonly string[];
  /** Bytes that building images will take there. */
  readonly builds: number;
}

export function toCheck({ free, size, path, holds, builds }: CheckedDisk): CheckResult {
  const common = { id: 'disk', title: `disk of ${holds.join(', ')}` } as const;
  const share = free / size;
  const detail = `${toBytes(free)} of ${toBytes(size)} free at ${path}`;
  const isOnlyTemporary = holds.every((each) => Object.values(temporary).includes(each));
  const fix = isOnlyTemporary ? 'set TMPDIR to a folder on a larger disk' : 'npm run images -- prune';
  if (free < builds) {
    return { ...common, state: 'fail', detail: `${detail}: building images needs ${toBytes(builds)}`, fix };
  }
  if (share < 0.05 && free < ampleSpace)
    return { ...common, state: 'fail', detail: `${detail}, less than 5 %`, fix };
  if (share < 0.15 && free < ampleSpace)
    return { ...common, state: 'warn', detail: `${detail}, less than 15 %`, fix };
  return { ...common, state: 'ok', detail };
}

/** The disk of a folder, or of the nearest one above it that exists. */
async function readDisk(path: string): Promise<Disk> {
  try {
    const [{ dev }, { bavail, blocks, bsize }] = await Promise.all([stat(path), statfs(path)]);
    return { device: dev, free: bavail * bsize, size: blocks * bsize, path };
  } catch (error) {
    const isHidden = ['ENOENT', 'EACCES', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
    if (isHidden && path !== dirname(path)) return readDisk(dirname(path));
    throw error;
  }
}
