import { expect, test } from 'vitest';
import { readPodEnvironment } from '../../src/intercept/pod-environment.ts';
import { ApiFailure, type ApiReader } from '../../src/tools/kubernetes/api-server.ts';
import type { Deployment } from '../../src/tools/kubernetes/objects.ts';

const { signal } = new AbortController();
const base64 = (text: string) => Buffer.from(text).toString('base64');

/** An API server with these objects only. */
function makeApi(objects: Readonly<Record<string, object>>) {
  const asked: string[] = [];
  const get = async (path: string) => {
    asked.push(path);
    const name = path.replace('/api/v1/namespaces/ns/', '');
    if (name in objects) return objects[name];
    throw new ApiFailure('not found', { status: 404 });
  };
  return { api: { get } as unknown as ApiReader, asked };
}

function makeDeployment(container: object, volumes: readonly object[] = []): Deployment {
  const spec = { containers: [{ name: 'sidecar' }, { name: 'board', ...container }], volumes };
  return {
    metadata: { name: 'board', namespace: 'ns', uid: 'u', creationTimestamp: '' },
    spec: { selector: {}, template: { spec } },
    status: {},
  } as unknown as Deployment;
}

test('reads the variables in the order in which the kubelet sets them', async () => {
  const { api, asked } = makeApi({
    'configmaps/shared': { data: { A: 'shared', B: 'shared' } },
    'secrets/own': { data: { B: base64('own'), PASSWORD: base64('p$$') } },
  });
  const deployment = makeDeployment({
    envFrom: [{ configMapRef: { name: 'shared' } }, { prefix: 'X_', secretRef: { name: 'own' } }],
    env: [
      { name: 'A', value: 'overridden' },
      { name: 'URL', value: 'http://$(A):$(MISSING)/$$(A)' },
      { name: 'KEY', valueFrom: { secretKeyRef: { name: 'own', key: 'PASSWORD' } } },
      { name: 'ABSENT', valueFrom: { configMapKeyRef: { name: 'none', key: 'x', optional: true } } },
      { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'NOTHING' },
    ],
  });
  const { variables, podOnly, files } = await readPodEnvironment(api, deployment, signal);
  expect(variables).toEqual({
    A: 'overridden',
    B: 'shared',
    X_B: 'own',
    X_PASSWORD: 'p$$',
    URL: 'http://overridden:$(MISSING)/$(A)',
    KEY: 'p$$',
    NOTHING: '',
  });
  expect(podOnly).toEqual(['POD_IP']);
  expect(files).toEqual([]);
  // Each object is read once.
  expect(asked.toSorted()).toEqual([
    '/api/v1/namespaces/ns/configmaps/none',
    '/api/v1/namespaces/ns/configmaps/shared',
    '/api/v1/namespaces/ns/secrets/own',
  ]);
});

test('a missing object that is not optional is a failure', async () => {
  const { api } = makeApi({});
  const deployment = makeDeployment({ envFrom: [{ secretRef: { name: 'own' } }] });
  await expect(readPodEnvironment(api, deployment, signal)).rejects.toThrow('not found');
});

test('reads the files of ConfigMaps and Secrets, single ones and whole folders', async () => {
  const { api } = makeApi({
    'configmaps/page': { data: { 'config.js': 'x = 1' }, binaryData: { logo: base64('png') } },
    'secrets/keys': { data: { tls: base64('key') } },
  });
  const deployment = makeDeployment(
    {
      volumeMounts: [
        { name: 'page', mountPath: '/srv/config.js', subPath: 'config.js' },
        { name: 'page', mountPath: '/etc/page' },
        { name: 'keys', mountPath: '/keys' },
        { name: 'tmp', mountPath: '/tmp' },
      ],
    },
    [
      { name: 'page', configMap: { name: 'page' } },
      { name: 'keys', secret: { secretName: 'keys', items: [{ key: 'tls', path: 'a/tls.key' }] } },
      { name: 'tmp', emptyDir: {} },
    ],
  );
  const { files } = await readPodEnvironment(api, deployment, signal);
  expect(files.map(({ path, content }) => [path, content.toString()])).toEqual([
    ['/srv/config.js', 'x = 1'],
    ['/etc/page/config.js', 'x = 1'],
    ['/etc/page/logo', 'png'],
    ['/keys/a/tls.key', 'key'],
  ]);
});
