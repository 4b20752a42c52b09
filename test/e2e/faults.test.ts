import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, onTestFinished } from 'vitest';
import { exec } from '../../src/tools/exec.ts';
import { openCheckout } from './checkout.ts';
import {
  docker,
  kubeconfigOf,
  kubectl,
  listNodes,
  listObjects,
  namespace,
  nodeOf,
  readReleases,
} from './cluster.ts';
import { request, requestJson } from './ingress.ts';
import { killProgram } from './kill-program.ts';
import { sharedCheckout, test } from './shared-checkout.ts';

const checkout = sharedCheckout();
const local = 'helm/environments/local-kind.yaml';
let origin = '';
let row: { readonly id: number };

beforeAll(async () => {
  origin = (await checkout.up()).addresses[0]?.url ?? '';
  row = await requestJson(`${origin}svc/user/api/users`, { text: 'written before the faults' });
});

/** After each of them, a plain `up` has everything as it was. */
afterEach(async () => {
  await checkout.up();
  expect(await requestJson(`${origin}svc/user/api/users/${row.id}`)).toMatchObject(row);
});

test('a namespace that is being deleted: up names what holds it, waits, and creates it again with the data', async () => {
  const where = `--namespace=${namespace}`;
  const setFinalizers = (finalizers: readonly string[]) =>
    kubectl(
      ...([checkout, 'patch', 'configmap', 'held', where, '--type=merge'] as const),
      `--patch=${JSON.stringify({ metadata: { finalizers } })}`,
    );
  await kubectl(checkout, 'create', 'configmap', 'held', where);
  await setFinalizers(['example.test/hold']);
  await kubectl(checkout, 'delete', 'namespace', namespace, '--wait=false');
  const running = checkout.start('up', '--yes', '--verbose');
  await running.said('has finalizers remaining: example.test/hold');
  await setFinalizers([]);
  const { stderr, exitCode } = await running.ended;
  expect({ stderr, exitCode }).toMatchObject({ exitCode: 0 });
});

test('the size of a volume is changed: refused with the command that lets up go on and keeps the data', async () => {
  const volumes = await listVolumes();
  // Not undone: that would be refused in the same way.
  await checkout.edit(local, (text) => text.replace('  postgres: { ', '  postgres: { size: 11Gi, '));
  const { stderr, exitCode } = await checkout.run('up', '--yes');
  expect({ stderr, exitCode }).toMatchObject({ exitCode: 6 });
  const fix = `delete statefulset postgres --cascade=orphan --namespace=${namespace}`;
  expect(stderr).toContain(`npm run kubectl -- ${fix}, then npm run up`);
  expect(await checkout.run('kubectl', ...fix.split(' '))).toMatchObject({ exitCode: 0 });
  await checkout.up();
  expect(await listVolumes()).toEqual(volumes);
});

describe('in the middle of an upgrade', () => {
  test('helm alone is killed: up says so, the next one goes on, with the same volumes', async () => {
    const volumes = await listVolumes();
    await setLogLevel('warn');
    const running = checkout.start('up', '--yes');
    await running.said('❯ wealist-infrastructure');
    await killProgram(running, 'helm');
    const { stderr, exitCode } = await running.ended;
    expect({ stderr, exitCode }).toMatchObject({
      stderr: expect.stringContaining('helm was ended by SIGKILL'),
      exitCode: 3,
    });
    await checkout.up();
    const releases = Object.values(await readReleases(checkout));
    expect(releases.filter((release) => !release.endsWith(' deployed'))).toEqual([]);
    expect(await listVolumes()).toEqual(volumes);
  });

  test('the API server is killed: up waits for it and goes on by itself', async () => {
    await setLogLevel('error');
    const running = checkout.start('up', '--yes');
    await running.said('❯ wealist-infrastructure');
    const { stdout } = await exec('docker', ['exec', nodeOf(checkout.name), 'sh', '-c', killApiServer]);
    expect(stdout).toContain('killed');
    const { stderr, exitCode } = await running.ended;
    expect(exitCode, stderr).toBe(0);
  });
});

test('ctr killed in the middle of an import: the image is complete, and the new page is served', async () => {
  const undo = await checkout.edit('services/frontend/public/index.html', (text) =>
    text.replace('<title>weAlist, local</title>', '<title>after a killed import</title>'),
  );
  onTestFinished(undo);
  const killing = exec('docker', ['exec', nodeOf(checkout.name), 'sh', '-c', killImport]);
  const { stderr, exitCode } = await checkout.run('reload', 'frontend');
  expect((await killing).stdout).toContain('killed');
  if (exitCode !== 0) expect(await checkout.run('reload', 'frontend'), stderr).toMatchObject({ exitCode: 0 });
  expect((await request(origin)).body).toContain('<title>after a killed import</title>');
});

test('the node is removed by another program, and kind killed while up creates it: the next up has the data', async () => {
  await docker('rm', '--force', '--volumes', nodeOf(checkout.name));
  const running = checkout.start('up', '--yes');
  await running.said(`❯ cluster ${checkout.name}`);
  await expect.poll(() => listNodes(checkout), { interval: 100, timeout: 60_000 }).toHaveLength(1);
  await killProgram(running, 'kind');
  const { stderr, exitCode } = await running.ended;
  expect({ stderr, exitCode }).toMatchObject({
    stderr: expect.stringContaining('kind did not create the cluster'),
    exitCode: 3,
  });
  await checkout.up();
  expect(await listNodes(checkout)).toHaveLength(1);
});

test.each([
  ['cut off', (text: string) => text.slice(0, text.length / 2)],
  ['empty', () => ''],
])('a kubeconfig of ours that is %s is written again', async (_, damage) => {
  const file = kubeconfigOf(checkout);
  const before = await readFile(file, 'utf8');
  await writeFile(file, damage(before));
  const nodes = await listNodes(checkout);
  await checkout.up();
  expect(await readFile(file, 'utf8')).toBe(before);
  expect(await listNodes(checkout)).toEqual(nodes);
});

test('other settings than those of its creation: said, and the cluster stays as it is', async () => {
  const nodes = await listNodes(checkout);
  const undo = await checkout.edit('kind/cluster.yaml', (text) =>
    text.replace('minSyncPeriod: 50ms', 'minSyncPeriod: 60ms'),
  );
  onTestFinished(undo);
  const { stderr, exitCode } = await checkout.run('up', '--yes');
  expect({ stderr, exitCode }).toMatchObject({
    stderr: expect.stringContaining(
      'was created with other settings or another node image than the current ones',
    ),
    exitCode: 0,
  });
  expect(stderr).toContain('to recreate it and preserve the data: npm run down, then npm run up');
  expect(await listNodes(checkout)).toEqual(nodes);
});

test('of five runs at once each succeeds or names the one that holds the lock', async () => {
  const nodes = await listNodes(checkout);
  const runs = await Promise.all(Array.from({ length: 5 }, () => checkout.run('up', '--yes')));
  const codes = runs.map(({ exitCode }) => exitCode);
  expect(codes).toContain(0);
  for (const { exitCode, stderr } of runs) {
    if (exitCode === 0) continue;
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 10,
      stderr: expect.stringMatching(/another run is in progress: npm run up .*\(PID \d+\)/),
    });
  }
  expect(await listNodes(checkout)).toEqual(nodes);
});

describe("the user's own kubeconfig", () => {
  test('names production, in a kube context like ours as well: no command sends it a request or changes a file', async () => {
    const connections: string[] = [];
    const production = createServer((socket) => {
      connections.push('connected');
      socket.destroy();
    }).listen(0, '127.0.0.1');
    onTestFinished(() => void production.close());
    await once(production, 'listening');
    const { port } = production.address() as AddressInfo;

    const folder = join(checkout.folder, 'kube');
    await mkdir(folder, { recursive: true });
    const file = join(folder, 'config');
    await writeFile(file, toKubeconfig(`https://127.0.0.1:${port}`, ['prod', `kind-${checkout.name}`]));
    // As kubectl leaves it when it is killed while it writes.
    await writeFile(`${file}.lock`, '');
    const before = await readFile(file, 'utf8');
    const mine = openCheckout(checkout, { KUBECONFIG: file });
    for (const words of [
      ['up', '--yes'],
      ['status'],
      ['why'],
      ['logs', '--no-follow', '--tail', '1'],
      ['reload', 'frontend'],
      ['plan'],
      ['doctor'],
      ['down', '--stop'],
      ['up', '--yes'],
    ]) {
      const [command = '', ...rest] = words;
      const { stderr, exitCode } = await mine.run(command, ...rest);
      expect({ words, stderr, exitCode }).toMatchObject({ exitCode: 0 });
    }
    expect(connections).toEqual([]);
    expect(await readFile(file, 'utf8')).toBe(before);
    expect(await readFile(`${file}.lock`, 'utf8')).toBe('');
  });

  test.each(['/nowhere/config', '/tmp', 'a::b'])('KUBECONFIG=%s has no effect', async (value) => {
    const mine = openCheckout(checkout, { KUBECONFIG: value });
    expect(await mine.run('up', '--yes')).toMatchObject({ exitCode: 0 });
  });
});

test('a damaged etcd: up says how to go on, and down and up create the cluster again with the data', {
  timeout: 10 * 60_000,
}, async () => {
  const node = nodeOf(checkout.name);
  const [image = ''] = await docker('inspect', '--format={{.Config.Image}}', node);
  await docker('stop', '--time=5', node);
  const damage =
    'for file in /var/lib/etcd/member/snap/db /var/lib/etcd/member/wal/*.wal; do echo damaged > "$file"; done';
  await docker('run', '--rm', `--volumes-from=${node}`, '--entrypoint=sh', image, '-c', damage);
  const { stderr, exitCode } = await checkout.run('up', '--yes');
  expect({ stderr, exitCode }).toMatchObject({
    stderr: expect.stringContaining('fix      npm run down, then npm run up: the data is preserved'),
    exitCode: 5,
  });
  expect(await checkout.run('down')).toMatchObject({ exitCode: 0 });
  // Its ports may be others.
  origin = (await checkout.up()).addresses[0]?.url ?? '';
});

/** A kubeconfig whose kube contexts, the first of them current, all lead to this server. */
function toKubeconfig(server: string, contexts: readonly string[]): string {
  return JSON.stringify({
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': contexts[0] },
    clusters: [{ name: 'production', cluster: { server } }],
    users: [{ name: 'admin', user: { token: 'not-to-be-sent' } }],
    contexts: contexts.map((name) => ({ name, context: { cluster: 'production', user: 'admin' } })),
  });
}

/** Ends the next `ctr images import` on the node, within a minute. */
const killImport = `end=$(($(date +%s) + 60))
while [ "$(date +%s)" -lt "$end" ]; do
  for folder in /proc/[0-9]*; do
    [ "$(cat "$folder/comm" 2>/dev/null)" = ctr ] || continue
    grep -qs import "$folder/cmdline" || continue
    kill -9 "\${folder#/proc/}" && echo killed && exit 0
  done
done`;

const killApiServer = `for folder in /proc/[0-9]*; do
  case "$(cat "$folder/comm" 2>/dev/null)" in
    kube-apiserver*) kill -9 "\${folder#/proc/}" && echo killed ;;
  esac
done`;

/** UIDs of the data stores' volume claims, by name. */
async function listVolumes(): Promise<Readonly<Record<string, string>>> {
  const claims = await listObjects(checkout, 'persistentvolumeclaims', `--namespace=${namespace}`);
  return Object.fromEntries(claims.map(({ metadata }) => [metadata.name, metadata.uid]));
}

/** Gives every release something to do. */
async function setLogLevel(level: string): Promise<void> {
  await checkout.edit(local, (text) => text.replace(/LOG_LEVEL: \w+/, `LOG_LEVEL: ${level}`));
}
