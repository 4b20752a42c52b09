import { expect, test } from 'vitest';
import { createReleases } from '../../src/cluster/releases.ts';
import { inputsLabel } from '../../src/lib/labels.ts';
import type { ApiReader } from '../../src/tools/kubernetes/api-server.ts';

const { signal } = new AbortController();

/** The record of one revision, as Helm labels it. */
const record = (name: string, version: string, status: string, inputs?: string) => ({
  metadata: {
    ...{ name: `sh.helm.release.v1.${name}.v${version}`, namespace: 'wealist-kind-local' },
    labels: {
      owner: 'helm',
      name,
      version,
      status,
      ...(inputs === undefined ? {} : { [inputsLabel]: inputs }),
    },
  },
});

function open(...items: readonly ReturnType<typeof record>[]) {
  const asked: string[] = [];
  const api = {
    async getMetadata(path: string) {
      asked.push(path);
      return items;
    },
  };
  return { asked, releases: createReleases(async () => api as unknown as ApiReader) };
}

test('of each release the newest revision, in numbers and not in letters', async () => {
  const { releases } = open(
    record('auth-service', '9', 'superseded', 'old'),
    record('auth-service', '10', 'deployed', 'new'),
    record('noti-service', '2', 'failed', 'other'),
    record('noti-service', '1', 'deployed', 'first'),
  );
  expect(await releases(signal)).toEqual(
    [
      ...[{ name: 'auth-service', revision: 10, status: 'deployed', inputs: 'new' }],
      ...[{ name: 'noti-service', revision: 2, status: 'failed', inputs: 'other' }],
    ].map((each) => ({ ...each, namespace: 'wealist-kind-local' })),
  );
});

test('one that this tool did not make has no inputs', async () => {
  expect(await open(record('mine', '1', 'deployed')).releases(signal)).toMatchObject([{ inputs: undefined }]);
});

test("Helm's records alone are asked for, once by all who ask together", async () => {
  const { asked, releases } = open(record('auth-service', '1', 'deployed'));
  await Promise.all([releases(signal), releases(signal)]);
  expect(asked).toEqual(['/api/v1/secrets?labelSelector=owner%3Dhelm']);
});
