import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { exec } from '../../src/tools/exec.ts';

/** A file system of its own in a file, which a test fills. */
export interface SmallDisk {
  readonly folder: string;
  /** Leaves nothing free, until `free`. */
  fill(): Promise<void>;
  /** Gives back what `fill` has taken. */
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
  await file.truncate(Math.ceil(bytes));
  await file.close();
  // Nothing is reserved for root, as whom the tests run.
  await exec('mkfs.ext4', ['-q', '-m', '0', image]);
  await exec('mount', ['-o', 'loop', image, folder]);
  const ballast = join(folder, 'ballast');
  let filling: ChildProcess | undefined;
  const free = async () => {
    if (filling?.pid !== undefined) {
      const ended = once(filling, 'exit');
      process.kill(-filling.pid, 'SIGKILL');
      await ended;
    }
    filling = undefined;
    await rm(ballast, { force: true });
  };
  return {
    folder,
    async fill() {
      // What other programs give back meanwhile is taken, too.
      const script =
        'while :; do dd if=/dev/zero of="$1" bs=4k oflag=append conv=notrunc status=none 2>/dev/null; sleep 0.05; done';
      await free();
      filling = spawn('sh', ['-c', script, 'sh', ballast], { stdio: 'ignore', detached: true });
      await expect.poll(async () => (await statfs(folder)).bavail, { timeout: 60_000 }).toBe(0);
    },
    free,
    async remove() {
      await free();
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
