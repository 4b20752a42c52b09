import { afterAll, beforeAll, describe, expect } from 'vitest';
import { StatusReport } from '../../src/commands/context/status/status-report.ts';
import {
  docker,
  listAddresses,
  listNodes,
  listObjects,
  listUnreadyPods,
  namespace,
  nodeOf,
  occupyAddresses,
  ours,
} from './cluster.ts';
import { request, requestJson } from './ingress.ts';
import { sharedCheckout, test } from './shared-checkout.ts';

const checkout = sharedCheckout();
const nodes = '--nodes=app,db';
const names = [nodeOf(checkout.name), `${checkout.name}-worker`, `${checkout.name}-worker2`];
let origin = '';
let row: { readonly id: number };

beforeAll(async () => {
  await checkout.run('down');
  origin = (await checkout.up(nodes)).addresses[0]?.url ?? '';
  row = await requestJson(`${origin}svc/user/api/users`, { text: 'written on the db node' });
});

afterAll(async () => {
  // The scenarios after this one want the cluster that `up` makes by itself.
  await checkout.run('down');
});

/** The type of the node, or `control-plane`, that each pod of a namespace runs on, by what the pod is. */
async function readPlaces(inNamespace: string): Promise<Readonly<Record<string, string>>> {
  const found = await listObjects(checkout, 'nodes');
  const types = new Map(
    found.map(({ metadata }) => [
      metadata.name,
      metadata.labels?.['wealist.local/node-type'] ?? 'control-plane',
    ]),
  );
  const pods = await listObjects(checkout, 'pods', `--namespace=${inNamespace}`);
  return Object.fromEntries(
    pods
      .filter(({ status }) => status.phase === 'Running')
      .map(({ metadata, spec }) => [
        metadata.labels?.['app.kubernetes.io/name'] ?? metadata.name,
        types.get(spec.nodeName ?? '') ?? '',
      ]),
  );
}

describe('up --nodes=app,db', () => {
  test('makes a control plane and a worker of each type', async () => {
    const { stdout } = await checkout.run('status', '--json');
    const { cluster } = StatusReport.parse(JSON.parse(stdout));
    expect(cluster.nodes.map(({ name, type, ready }) => [name, type, ready])).toEqual([
      [names[0], undefined, true],
      [names[1], 'app', true],
      [names[2], 'db', true],
    ]);
    expect(await listNodes(checkout)).toHaveLength(3);
  });

  test('services run on app, data stores on db, the ingress where the ports are', async () => {
    const { postgres, redis, s3, ...services } = await readPlaces(namespace);
    expect([postgres, redis, s3]).toEqual(['db', 'db', 'db']);
    expect(Object.keys(services)).toHaveLength(8);
    expect(new Set(Object.values(services))).toEqual(new Set(['app']));
    expect(await readPlaces('ingress-nginx')).toEqual({ traefik: 'control-plane' });
  });

  test('every node has an address range of its own, and pods see each other by their own addresses', async () => {
    const found = await listObjects(checkout, 'nodes');
    expect(new Set(found.map(({ spec }) => spec.podCIDR)).size).toBe(3);
    // PostgreSQL tells who asks it: the pod, and no node on the way.
    const sql = "select client_addr from pg_stat_activity where datname = 'wealist_user_service_db' limit 1";
    const asked = ['exec', 'postgres-0', `--namespace=${namespace}`, '--', 'psql', '--host=/tmp'];
    const { stdout, exitCode, stderr } = await checkout.run(
      'kubectl',
      ...asked,
      '--username=postgres',
      '--tuples-only',
      '--no-align',
      `--command=${sql}`,
    );
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    const pods = await listObjects(
      checkout,
      'pods',
      `--namespace=${namespace}`,
      '--selector=app=user-service',
    );
    expect(pods.map(({ status }) => status.podIP)).toContain(stdout.trim());
  });

  test('again, with and without naming them: nothing to do', async () => {
    expect(await checkout.up(nodes)).toMatchObject({ changed: false });
    expect(await checkout.up()).toMatchObject({ changed: false });
  });

  test('other nodes than it has: said, and it stays as it is', async () => {
    const before = await listNodes(checkout);
    const { stderr, exitCode } = await checkout.run('up', '--yes', '--nodes=app,app,db');
    expect({ stderr, exitCode }).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining(
        `cluster ${checkout.name} has the nodes app, db instead of the nodes app, app, db; to recreate it`,
      ),
    });
    expect(await listNodes(checkout)).toEqual(before);
    expect(await checkout.run('up', '--nodes=web')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('--nodes cluster.nodes[0]: got "web", expected app or db'),
    });
  });

  test('one node stopped: up brings it back', async () => {
    await docker('stop', '--time=2', names[2] ?? '');
    await checkout.up();
    await expectAllThere();
  });

  test('down --stop stops all, and up resumes them, on other addresses', async () => {
    const before = await listNodes(checkout);
    const addresses = await listAddresses(names);
    const [image = ''] = await docker('inspect', '--format={{.Config.Image}}', names[0] ?? '');
    expect(await checkout.run('down', '--stop')).toMatchObject({ exitCode: 0 });
    const states = await docker('inspect', '--format={{.State.Status}}', ...names);
    expect(states).toEqual(['exited', 'exited', 'exited']);
    const squatters = await occupyAddresses(addresses, image);
    try {
      await checkout.up();
      expect(await listNodes(checkout)).toEqual(before);
      expect(await listAddresses(names)).not.toEqual(addresses);
      await expectAllThere();
    } finally {
      await docker('rm', '--force', ...squatters);
    }
  });

  test('down and up, with these nodes and with one: the data is there', async () => {
    for (const words of [[nodes], []]) {
      expect(await checkout.run('down')).toMatchObject({ exitCode: 0 });
      expect(await listNodes(checkout)).toEqual([]);
      origin = (await checkout.up(...words)).addresses[0]?.url ?? '';
      expect(await listNodes(checkout)).toHaveLength(words.length > 0 ? 3 : 1);
      await expectAllThere();
    }
  });
});

async function expectAllThere(): Promise<void> {
  expect(await listUnreadyPods(checkout, ...ours)).toEqual([]);
  expect(await requestJson(`${origin}svc/user/api/users/${row.id}`)).toMatchObject(row);
  expect(await request(origin)).toMatchObject({ status: 200 });
}
