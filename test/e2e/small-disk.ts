import { mkdir, open, readFile, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { exec } from '../../src/tools/exec.ts';

/** A file system of its own in a file, which a test fills. */
export interface SmallDisk {
  readonly folder: string;
  /** Leaves nothing free, not even what is kept for root. */
  fill(): Promise<void>;
  /** Makes what `fill` has taken free again. */
  free(): Promise<void>;
  /** Unmounts it. What is mounted from it must have ended. */
  remove(): Promise<void>;
}

/** Whether this user may mount file systems. */
export const canMount = process.platform === 'linux' && process.getuid?.() === 0;

/** Mounts an empty file system of this size at `folder`. Its file lies beside it, and takes only what is written to it. */
export async function makeSmallDisk(folder: string, bytes: number): Promise<SmallDisk> {
  const image = `${folder}.img`;
  await mkdir(folder, { recursive: true });
  const file = await open(image, 'w');
  await file.truncate(bytes);
  await file.close();
  // Nothing is reserved for root, as whom the tests run.
  await exec('mkfs.ext4', ['-q', '-m', '0', image]);
  await exec('mount', ['-o', 'loop', image, folder]);
  const ballast = join(folder, 'ballast');
  return {
    folder,
    async fill() {
      const { bavail, bsize } = await statfs(folder);
      await exec('fallocate', ['--length', String(bavail * bsize), ballast]).catch(() => {
        // Its own list of blocks takes some; the rest is written.
      });
      await exec('dd', ['if=/dev/zero', `of=${ballast}.rest`, 'bs=4k', 'status=none']).catch(() => {
        // It ends when the disk is full.
      });
      const left = await statfs(folder);
      if (left.bavail > 0) throw new Error(`${folder} still has ${left.bavail} free blocks`);
    },
    async free() {
      for (const path of [ballast, `${ballast}.rest`]) await rm(path, { force: true });
    },
    async remove() {
      await unmountBelow(folder);
      await rm(image, { force: true });
    },
  };
}

/** Unmounts whatever is mounted at a folder or below it, also while something still uses it. */
export async function unmountBelow(folder: string): Promise<void> {
  const mounts = await readFile('/proc/mounts', 'utf8').catch(() => '');
  const points = mounts.split('\n').map((line) => line.split(' ')[1] ?? '');
  const ours = points.filter((point) => point === folder || point.startsWith(`${folder}/`));
  for (const point of ours.reverse()) await exec('umount', ['--lazy', point]);
}
