import { expect, test } from 'vitest';
import { compareWithCluster } from '../../src/diff/compare.ts';
import type { Manifest } from '../../src/diff/manifest.ts';
import { createApiServer } from '../../src/tools/kubernetes/api-server.ts';
import { type ApiServerOptions, startApiServer } from '../fakes/api-server.ts';
import { toHelmRecord } from '../fakes/helm-record.ts';

const { signal } = new AbortController();
const namespace = 'wealist-dev';
const pathOf = (kind: string, name: string) => `/api/v1/namespaces/${namespace}/${kind}/${name}`;
const configMap = (name: string, data: object): Manifest => ({
  ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } },
  data,
});
const secret: Manifest = {
  ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' } },
  data: { KEY: 'bmV3' },
};
const render = (...manifests: Manifest[]) => [{ release: 'auth-service', namespace, manifests }];

/** A cluster with the namespace and these objects, by path. */
async function startCluster(
  objects: readonly (readonly [string, object])[] = [],
  options?: ApiServerOptions,
) {
  const fake = await startApiServer(options);
  for (const [path, object] of [[`/api/v1/namespaces/${namespace}`, {}] as const, ...objects])
    fake.set(path, object);
  return { fake, api: createApiServer({ server: fake.url }) };
}

const listPatches = (requests: readonly string[]) =>
  requests.filter((each) => each.startsWith('PATCH ')).map((each) => each.split('?')[0]);

test('new, changed and unchanged objects, by a server-side dry run', async () => {
  const { fake, api } = await startCluster([
    [pathOf('configmaps', 'same'), configMap('same', { A: '1' })],
    [pathOf('configmaps', 'changed'), configMap('changed', { A: '1' })],
    [pathOf('secrets', 's'), { ...secret, data: { KEY: 'b2xk' } }],
  ]);
  const before = structuredClone([...fake.objects]);
  const { objects: changes, notes } = await compareWithCluster(
    render(
      configMap('same', { A: '1' }),
      configMap('changed', { A: '2' }),
      configMap('new', { A: '1' }),
      secret,
    ),
    api,
    signal,
  );
  expect(changes.map(({ name, change }) => [name, change])).toEqual([
    ['same', 'same'],
    ['changed', 'changed'],
    ['new', 'new'],
    ['s', 'changed'],
  ]);
  expect(changes[1]?.fields).toEqual([{ path: 'data.A', before: '"1"', after: '"2"' }]);
  expect(changes[3]?.fields).toEqual([{ path: 'data.KEY', before: '***', after: '***' }]);
  expect(notes).toEqual([]);
  expect([...fake.objects]).toEqual(before);
  // New objects are checked by a dry run, too.
  expect(listPatches(fake.requests)).toContain(`PATCH ${pathOf('configmaps', 'new')}`);
});

test('what Helm would remove: objects, and fields that a dry run keeps', async () => {
  const earlier = [configMap('kept', { A: '1', B: '2' }), configMap('dropped', {})];
  const { api } = await startCluster([
    [pathOf('configmaps', 'kept'), configMap('kept', { A: '1', B: '2', C: 'by hand' })],
    [pathOf('secrets', 'sh.helm.release.v1.auth-service.v1'), toHelmRecord('auth-service', earlier)],
  ]);
  const { objects: changes } = await compareWithCluster(render(configMap('kept', { A: '1' })), api, signal);
  expect(changes).toMatchObject([
    { name: 'kept', change: 'changed', fields: [{ path: 'data.B', before: '"2"', after: undefined }] },
    { name: 'dropped', change: 'gone', fields: [] },
  ]);
});

test('objects of a namespace that does not exist yet are not checked by a dry run', async () => {
  const fake = await startApiServer();
  const api = createApiServer({ server: fake.url });
  const own: Manifest = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
  const { objects, notes } = await compareWithCluster(render(own, configMap('a', {})), api, signal);
  expect(objects.map(({ change }) => change)).toEqual(['new', 'new']);
  expect(notes).toEqual([
    `namespace ${namespace} does not exist yet: its objects were not checked by a dry run`,
  ]);
  expect(listPatches(fake.requests)).toEqual([`PATCH /api/v1/namespaces/${namespace}`]);
});

test('where a dry run is forbidden fields are compared as written, with a note', async () => {
  const live = {
    ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' } },
    spec: { replicas: 1, template: { spec: { containers: [{ name: 'a', image: 'a:1', tty: false }] } } },
  };
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments/d`;
  const wanted: Manifest = {
    ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' } },
    spec: { template: { spec: { containers: [{ name: 'a', image: 'a:2' }] } } },
  };
  const { api } = await startCluster([[path, live]], {
    isForbidden: (method, where) => method === 'PATCH' || where.includes('/secrets'),
  });
  const { objects, notes } = await compareWithCluster(render(wanted), api, signal);
  expect(objects[0]?.fields).toEqual([
    { path: 'spec.template.spec.containers[a].image', before: '"a:1"', after: '"a:2"' },
  ]);
  expect(notes).toHaveLength(2);
});

test('an object that the cluster rejects is reported with its message', async () => {
  const { api } = await startCluster([], { reject: () => 'spec: field is immutable' });
  const route: Manifest = { apiVersion: 'traefik.io/v1', kind: 'Middleware', metadata: { name: 'm' } };
  const { objects } = await compareWithCluster(render(configMap('a', {}), route), api, signal);
  expect(objects.map(({ change, problem }) => [change, problem])).toEqual([
    ['refused', 'spec: field is immutable'],
    ['refused', 'no matches for kind Middleware in version traefik.io/v1'],
  ]);
});
