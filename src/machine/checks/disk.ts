import { stat, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { toBytes } from '../../lib/bytes.ts';
import type { CheckResult, MakeCheck } from './check.ts';

const gigabyte = 1e9;
/** Bytes for root file systems, Go's caches and images while all images are built. */
const buildSpace = 15 * gigabyte;
/** Bytes of free space that are enough whatever their share of a large disk is. */
const ampleSpace = 40 * gigabyte;

/** The disks of images, volumes and temporary files, each checked once. */
export const checkDisk: MakeCheck = async ({ engine, paths, demand }) => {
  const folders = [
    ...(engine && !engine.inVirtualMachine ? [{ path: engine.dockerRoot, holds: 'images' }] : []),
    { path: paths.cache, holds: 'cache' },
    { path: paths.data, holds: 'data' },
    { path: tmpdir(), holds: 'temporary files' },
  ];
  const found = await Promise.all(
    folders.map(async ({ path, holds }) => ({ holds, ...(await readDisk(path)) })),
  );
  const disks = new Map(found.map((disk) => [disk.device, disk]));
  return [...disks].map(([device, disk]) => {
    const holds = found.filter((each) => each.device === device).map((each) => each.holds);
    return toCheck({ ...disk, holds }, demand.buildsImages);
  });
};

interface Disk {
  readonly device: number;
  /** Bytes that this user can still write. */
  readonly free: number;
  readonly size: number;
  readonly path: string;
}

export function toCheck(
  { free, size, path, holds }: Pick<Disk, 'free' | 'size' | 'path'> & { readonly holds: readonly string[] },
  buildsImages: boolean,
): CheckResult {
  const id = 'disk';
  const title = `disk of ${holds.join(', ')}`;
  const share = free / size;
  const detail = `${toBytes(free)} of ${toBytes(size)} free at ${path}`;
  const fix = 'npm run images -- prune';
  if (buildsImages && free < buildSpace) {
    return {
      id,
      title,
      state: 'fail',
      detail: `${detail}: building images needs ${toBytes(buildSpace)}`,
      fix,
    };
  }
  if (share < 0.05 && free < ampleSpace)
    return { id, title, state: 'fail', detail: `${detail}, less than 5 %`, fix };
  if (share < 0.15 && free < ampleSpace)
    return { id, title, state: 'warn', detail: `${detail}, less than 15 %`, fix };
  return { id, title, state: 'ok', detail };
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
