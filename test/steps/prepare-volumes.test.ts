import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createSnapshot } from '../../src/diagnosis/snapshot.ts';
import { volumeManifest } from '../../src/plans/manifests.ts';
import { prepareVolumes } from '../../src/steps/prepare-volumes.ts';
import type { ApiServer } from '../../src/tools/kubernetes/api-server.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const namespace = 'ours';
const run = { signal: new AbortController().signal, report: () => {} };

/** A cluster with these claims and volumes. */
async function makeWorld({ claims = [] as string[], existing = [] as string[] } = {}) {
  const volumes = await makeTemporaryFolder();
  const found = new Set(existing);
  const calls: string[] = [];
  const api = {
    async create(_: string, { metadata: { name } }: { metadata: { name: string } }) {
      if (found.has(name)) return false;
      calls.push(`create ${name}`);
      found.add(name);
      return true;
    },
    async remove(path: string) {
      const name = path.split('/').at(-1) ?? '';
      calls.push(`remove ${name}`);
      found.delete(name);
    },
  };
  const objects = claims.map((name) => ({
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace, uid: name, creationTimestamp: '' },
  }));
  const step = prepareVolumes({
    openApi: async () => api as unknown as ApiServer,
    snapshots: { take: async () => createSnapshot(0, objects) },
    namespace,
    claims: ['data-postgres-0', 'data-redis-0'],
    volumes,
    toVolume: (claim) => volumeManifest(namespace, claim),
  });
  return { step, volumes, calls };
}

test('each claim that does not exist yet gets a folder that its store can write to, and its volume', async () => {
  const { step, volumes, calls } = await makeWorld({ claims: ['data-redis-0'] });
  expect(await step.isDone?.(run)).toBe(false);
  await step.apply(run);
  expect(calls).toEqual(['create ours-data-postgres-0']);
  expect(await readdir(join(volumes, namespace))).toEqual(['data-postgres-0']);
  expect((await stat(join(volumes, namespace, 'data-postgres-0'))).mode & 0o777).toBe(0o777);
});

test('data of an earlier cluster stays, and a volume whose claim was deleted is made again', async () => {
  const { step, volumes, calls } = await makeWorld({ existing: ['ours-data-postgres-0'] });
  const data = join(volumes, namespace, 'data-postgres-0/postgres');
  await mkdir(data, { recursive: true });
  await step.apply(run);
  expect(calls.filter((call) => call.endsWith('postgres-0'))).toEqual([
    'remove ours-data-postgres-0',
    'create ours-data-postgres-0',
  ]);
  expect((await stat(data)).isDirectory()).toBe(true);
});

test('where all claims exist there is nothing to do', async () => {
  const { step } = await makeWorld({ claims: ['data-postgres-0', 'data-redis-0'] });
  expect(await step.isDone?.(run)).toBe('claimed');
});
