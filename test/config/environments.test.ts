import { cp } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { listEnvironments } from '../../src/config/layers.ts';
import { loadEnvironment, type Override } from '../../src/config/load.ts';
import { createCheckout } from './checkout.ts';

const repository = resolve(import.meta.dirname, '../..');
const remote = ['dev', 'local-ubuntu', 'prod', 'staging'] as const;

/** A checkout with all environments of this repository, and these files. */
async function createFullCheckout(files: Readonly<Record<string, string>> = {}): Promise<string> {
  const checkout = await createCheckout(files);
  for (const name of remote)
    await cp(join(repository, 'env', `${name}.yaml`), join(checkout, 'env', `${name}.yaml`));
  return checkout;
}

const load = (checkout: string, name: string, overrides: readonly Override[] = []) =>
  loadEnvironment({ checkout, name, overrides });

test('each namespace of the specification has its environment', async () => {
  expect(await listEnvironments(repository)).toEqual([
    'dev',
    'local-kind',
    'local-ubuntu',
    'prod',
    'staging',
  ]);
  const checkout = await createFullCheckout();
  const namespaces = await Promise.all(
    remote.map(async (name) => [name, (await load(checkout, name)).namespace]),
  );
  expect(Object.fromEntries(namespaces)).toEqual({
    dev: 'wealist-dev',
    'local-ubuntu': 'wealist-dev',
    staging: 'wealist-staging',
    prod: 'wealist-prod',
  });
});

test('the node types are those of the specification', async () => {
  const { nodes } = await load(await createFullCheckout(), 'dev');
  expect(nodes).toMatchObject({
    app: { instance: 't3.medium', cpu: 2, memory: '4Gi' },
    db: { instance: 't3.large', cpu: 2, memory: '8Gi' },
  });
});

test.each(remote)('%s is on no cluster of this machine, whatever local.yaml and flags say', async (name) => {
  const local = 'cluster: {name: mine, httpPort: 80, httpsPort: 443}\nnamespace: mine\n';
  const checkout = await createFullCheckout({ 'env/local.yaml': local });
  const override = { flag: '--name', path: ['cluster', 'name'], value: 'mine' } as const;
  const environment = await load(checkout, name, [override]);
  expect(environment.cluster).toBeUndefined();
  expect(environment.namespace).not.toBe('mine');
  expect((await load(checkout, 'local-kind', [override])).cluster?.name).toBe('mine');
});

test('a broken local.yaml keeps nobody from reading another environment', async () => {
  const checkout = await createFullCheckout({ 'env/local.yaml': 'a: [' });
  expect((await load(checkout, 'dev')).name).toBe('dev');
});

test.each([
  [
    'env/dev.yaml',
    'extends: local-kind\ncontext: x\n',
    /^env\/dev\.yaml:2:10 context: got a value, expected none: the key cluster makes this environment local \(env\/local-kind\.yaml:\d+:\d+\)$/,
  ],
  [
    'env/dev.yaml',
    'extends: base\nnamespace: x\nregistry: {pull: never}\n',
    /^env\/dev\.yaml:3:1 registry: got a value, expected none: it is for local environments/,
  ],
  [
    'env/dev.yaml',
    'extends: base\nnamespace: x\ncontext: --context=prod\n',
    /^env\/dev\.yaml:3:10 context: got "--context=prod", expected the name of a kube context/,
  ],
  [
    'env/dev.yaml',
    'extends: base\nnamespace: x\nnodes: {app: {instance: t3.medium, count: 2, cpu: 2, memory: 4G}}\n',
    /^env\/dev\.yaml:3:62 nodes\.app\.memory: got "4G", expected an amount of memory in MiB or GiB/,
  ],
  [
    'env/dev.yaml',
    'extends: base\nnamespace: x\nnodes: {apps: {}}\n',
    /^env\/dev\.yaml:3:9 nodes\.apps: got an unknown key, nearest is app$/,
  ],
])('what does not go together in %s is refused: %j', async (file, text, message) => {
  const checkout = await createCheckout({ [file]: text });
  await expect(load(checkout, 'dev')).rejects.toMatchObject({
    message: expect.stringMatching(message),
    exitCode: 2,
  });
});
