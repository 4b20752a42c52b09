import { setImmediate } from 'node:timers/promises';
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

test('the newest revision of each release, compared as numbers', async () => {
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

test('a release of another program has no inputs', async () => {
  expect(await open(record('mine', '1', 'deployed')).releases(signal)).toMatchObject([{ inputs: undefined }]);
});

test('a caller is not given the records that an earlier caller asked for before a change', async () => {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  let status = 'pending-upgrade';
  const api = {
    async getMetadata() {
      const items = [record('auth-service', '1', status)];
      await opened;
      return items;
    },
  };
  const releases = createReleases(async () => api as unknown as ApiReader);
  const earlier = releases(signal);
  await setImmediate();
  status = 'deployed';
  const later = releases(signal);
  open();
  expect(await earlier).toMatchObject([{ status: 'pending-upgrade' }]);
  expect(await later).toMatchObject([{ status: 'deployed' }]);
});

test("only Helm's records are requested, once for callers at the same time", async () => {
  const { asked, releases } = open(record('auth-service', '1', 'deployed'));
  await Promise.all([releases(signal), releases(signal)]);
  expect(asked).toEqual(['/api/v1/secrets?labelSelector=owner%3Dhelm']);
});
