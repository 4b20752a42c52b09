import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { SourceFolder } from '../../../src/images/source/source-files.ts';
import { type Saved, watchSources } from '../../../src/images/source/watch-sources.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

/** Watches a folder of its own; `batches` are the reported ones, relative to the folder. */
async function startWatch({
  folder = '',
  isSource = () => true,
  skipped = ['**/node_modules/**', '**/.git/**', '**/.gradle/**'],
}: Partial<SourceFolder> = {}) {
  const root = folder || (await makeTemporaryFolder());
  const end = new AbortController();
  const batches: string[][] = [];
  const saved: Saved[] = [];
  let ended: Promise<void> | undefined;
  await new Promise<void>((resolve, reject) => {
    const collect = async () => {
      const watched = [{ folder: root, isSource, skipped }];
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

test('a save is reported at once, with its time', async () => {
  const { root, batches, saved } = await startWatch();
  const before = performance.now();
  await writeFile(join(root, 'a.ts'), 'one');
  await expect.poll(() => batches[0], { interval: 2 }).toEqual(['a.ts']);
  // Generous, since the machine may be busy with other work.
  expect((saved[0]?.since ?? 0) - before).toBeLessThan(1_000);
});

test('files that are saved together are one batch', async () => {
  const { root, batches, files } = await startWatch();
  const names = Array.from({ length: 300 }, (_, at) => `file-${String(at).padStart(3, '0')}`);
  await Promise.all(names.map((name) => writeFile(join(root, name), name)));
  await expect.poll(files).toEqual(names);
  await sleep(200);
  expect(batches.length).toBeLessThan(20);
});

test('a renamed file, one in a new folder and a removed one are reported', async () => {
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

test('files that are not source are not reported', async () => {
  const folder = await makeTemporaryFolder();
  await mkdir(join(folder, 'node_modules/pg'), { recursive: true });
  const { root, files } = await startWatch({ folder, isSource: (path) => !path.endsWith('.log') });
  await writeFile(join(root, 'node_modules/pg/index.js'), '');
  await writeFile(join(root, 'a.log'), '');
  await writeFile(join(root, 'a.ts'), '');
  await expect.poll(files).toEqual(['a.ts']);
});

test('a write beside the sources yields an empty batch, since a save may have been missed', async () => {
  const { root, batches } = await startWatch({ isSource: (path) => !path.endsWith('~') });
  await writeFile(join(root, 'a.ts~'), '');
  await expect.poll(() => batches).toContainEqual([]);
});

test('it ends when the signal is aborted', async () => {
  const { end, ended } = await startWatch();
  end.abort();
  await ended;
});

test('a folder that does not exist is a failure', async () => {
  const folder = join(await makeTemporaryFolder(), 'missing');
  await expect(startWatch({ folder })).rejects.toMatchObject({
    message: `${folder} cannot be watched`,
    exitCode: 3,
  });
});

test('a folder is watched without what is below it', async () => {
  const folder = await makeTemporaryFolder();
  await mkdir(join(folder, 'deep'));
  const { root, files } = await startWatch({ folder, skipped: ['*/**'] });
  await writeFile(join(root, 'deep/Dockerfile'), 'one');
  await writeFile(join(root, 'Dockerfile'), 'one');
  await expect.poll(files).toEqual(['Dockerfile']);
});
