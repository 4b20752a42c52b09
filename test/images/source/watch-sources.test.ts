import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { type Saved, type WatchedFolder, watchSources } from '../../../src/images/source/watch-sources.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

/** Watches a folder of its own; `batches` are what it told of so far, relative to the folder. */
async function startWatch({ folder = '', isSource = () => true }: Partial<WatchedFolder> = {}) {
  const root = folder || (await makeTemporaryFolder());
  const end = new AbortController();
  const batches: string[][] = [];
  const saved: Saved[] = [];
  let ended: Promise<void> | undefined;
  await new Promise<void>((resolve, reject) => {
    const collect = async () => {
      const watched = [{ folder: root, isSource }];
      for await (const batch of watchSources(watched, { signal: end.signal, onWatching: resolve })) {
        saved.push(batch);
        batches.push([...batch.paths].map((path) => path.slice(root.length + 1)).sort());
      }
    };
    ended = collect();
    ended.catch(reject);
  });
  onTestFinished(async () => {
    end.abort();
    await ended;
  });
  const files = () => [...new Set(batches.flat())].sort();
  return { root, batches, saved, files, end, ended };
}

test('a save is told of within a twentieth of a second', async () => {
  const { root, batches, saved } = await startWatch();
  const before = performance.now();
  await writeFile(join(root, 'a.ts'), 'one');
  await expect.poll(() => batches[0], { interval: 2 }).toEqual(['a.ts']);
  // The watch itself is what is measured, and not a machine at work with something else.
  expect((saved[0]?.since ?? 0) - before).toBeLessThan(1_000);
});

test('what is saved together comes together', async () => {
  const { root, batches, files } = await startWatch();
  const names = Array.from({ length: 300 }, (_, at) => `file-${String(at).padStart(3, '0')}`);
  await Promise.all(names.map((name) => writeFile(join(root, name), name)));
  await expect.poll(files).toEqual(names);
  await sleep(200);
  expect(batches.length).toBeLessThan(20);
});

test('a file that gets another name, one in a new folder, one that is removed', async () => {
  const { root, batches, files } = await startWatch();
  await writeFile(join(root, 'a.ts'), 'one');
  await expect.poll(files).toContain('a.ts');
  await rename(join(root, 'a.ts'), join(root, 'b.ts'));
  await expect.poll(files).toContain('b.ts');
  await mkdir(join(root, 'deep/er/est'), { recursive: true });
  await writeFile(join(root, 'deep/er/at-once.ts'), 'two');
  await expect.poll(files).toContain('deep/er/at-once.ts');
  await writeFile(join(root, 'deep/er/est/later.ts'), 'three');
  await expect.poll(files).toContain('deep/er/est/later.ts');
  const before = batches.length;
  await rm(join(root, 'b.ts'));
  await expect.poll(() => batches.slice(before).flat()).toContain('b.ts');
});

test('what is no source is not told of', async () => {
  const folder = await makeTemporaryFolder();
  await mkdir(join(folder, 'node_modules/pg'), { recursive: true });
  const { root, files } = await startWatch({ folder, isSource: (path) => !path.endsWith('.log') });
  await writeFile(join(root, 'node_modules/pg/index.js'), '');
  await writeFile(join(root, 'a.log'), '');
  await writeFile(join(root, 'a.ts'), '');
  await expect.poll(files).toEqual(['a.ts']);
});

test('what is written beside the sources is a reason to look: a save may have been missed', async () => {
  const { root, batches } = await startWatch({ isSource: (path) => !path.endsWith('~') });
  await writeFile(join(root, 'a.ts~'), '');
  await expect.poll(() => batches).toContainEqual([]);
});

test('it ends when it is told to', async () => {
  const { end, ended } = await startWatch();
  end.abort();
  await ended;
});

test('a folder that is not there is a failure', async () => {
  const folder = join(await makeTemporaryFolder(), 'missing');
  await expect(startWatch({ folder })).rejects.toMatchObject({
    message: `${folder} cannot be watched`,
    exitCode: 3,
  });
});
