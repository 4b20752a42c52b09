import { appendFile, cp } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { loadEnvironment } from '../../../src/config/load.ts';
import { createServiceSources } from '../../../src/images/source/service-sources.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

const repository = resolve(import.meta.dirname, '../../..');

/** A copy of the small weAlist, and which of its services have another source after `change`. */
async function listChanged(...changed: readonly string[]): Promise<readonly string[]> {
  const source = await makeTemporaryFolder();
  await cp(join(repository, 'test/fixtures/wealist'), source, { recursive: true });
  const local = await loadEnvironment({ checkout: repository, name: 'local-kind' });
  const environment = { ...local, source };
  const sources = createServiceSources({
    environment,
    checkout: repository,
    architecture: 'amd64',
    store: { findImage: async () => undefined },
    findBase: async () => undefined,
    findImageId: async (reference) => `sha256:${reference}`,
  });
  const names = Object.keys(environment.services);
  const read = () => Promise.all(names.map(async (name) => (await sources.read(name)).hash));
  const before = await read();
  for (const file of changed) await appendFile(join(source, file), '\n');
  const after = await read();
  return names.filter((_, at) => before[at] !== after[at]);
}

const go = ['user', 'board', 'chat', 'noti', 'storage', 'video'].map((name) => `${name}-service`);

test('an edit in one service leaves the five others with the same context as they are', async () => {
  expect(await listChanged('services/user-service/cmd/api/main.go')).toEqual(['user-service']);
});

test('an edit of what they share changes all six, and no other', async () => {
  const changed = await listChanged('packages/platform/service.go');
  expect(changed.toSorted()).toEqual(go.toSorted());
});

test('what no Dockerfile copies changes none', async () => {
  expect(await listChanged('README.md', 'packages/notes.md', 'services/app.log')).toEqual([]);
});

test('services with a context of their own change alone', async () => {
  expect(await listChanged('services/frontend/html/index.html', 'services/auth-service/server.js')).toEqual([
    'auth-service',
    'frontend',
  ]);
});
