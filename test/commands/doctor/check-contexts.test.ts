import { mkdir, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkContexts } from '../../../src/commands/doctor/check-contexts.ts';
import type { Environment } from '../../../src/config/schema.ts';
import { environment } from '../../fakes/app.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

/** A checkout of weAlist whose service `board` has files of these sizes in its context. */
async function makeWorld(sizes: Readonly<Record<string, number>>, dockerignore = '') {
  const checkout = await makeTemporaryFolder();
  const context = join(checkout, 'source/board');
  for (const [path, size] of Object.entries({ Dockerfile: 10, ...sizes })) {
    await mkdir(join(context, path, '..'), { recursive: true });
    await writeFile(join(context, path), '');
    // Without content on the disk.
    await truncate(join(context, path), size);
  }
  await writeFile(join(context, '.dockerignore'), dockerignore);
  const board: Environment['services'][string] = {
    ...{ port: 8000, needs: [], standIn: 'services/board', live: [], build: 'source' },
    ...{ dockerfile: 'board/Dockerfile', context: 'board' },
  };
  const settings: Environment = { ...environment, source: 'source', services: { board } };
  return { context, check: () => checkContexts(settings, checkout) };
}

test('a large build context is reported with what takes most of it', async () => {
  const { context, check } = await makeWorld({
    'data/dump.sql': 2e9,
    'node_modules/a/index.js': 300e6,
    'src/main.ts': 5_000,
    'logs/a.log': 1e6,
  });
  // A loop of links would be followed without end.
  await symlink('..', join(context, 'src/loop'));
  expect(await check()).toEqual([
    {
      id: 'build-context',
      title: 'build context of board',
      state: 'warn',
      detail: '2.3 GB: data 2.0 GB, node_modules 300 MB, logs 1.0 MB',
      fix: `add what no build needs to ${context}/.dockerignore`,
    },
  ]);
});

test('what .dockerignore excludes does not count', async () => {
  const { check } = await makeWorld({ 'data/dump.sql': 2e9, 'src/main.ts': 5_000 }, 'data\n');
  expect(await check()).toEqual([]);
});

test('a stand-in has no context', async () => {
  expect(await checkContexts(environment, '/nowhere')).toEqual([]);
});
