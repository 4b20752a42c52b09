import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, onTestFinished } from 'vitest';
import { listDescendants } from '../../src/lib/processes.ts';
import {
  kubeconfigOf,
  kubectlOf,
  listNodes,
  listObjects,
  listUnreadyPods,
  namespace,
  ours,
  readReleases,
} from './cluster.ts';
import { requestJson } from './ingress.ts';
import { expectGone, type Running, start } from './running.ts';
import { sharedCheckout, test } from './shared-checkout.ts';

const checkout = sharedCheckout();
const infrastructure = 'wealist-infrastructure';
let origin = '';
let row: { readonly id: number };

beforeAll(async () => {
  origin = (await checkout.up()).addresses[0]?.url ?? '';
  row = await requestJson(`${origin}svc/user/api/users`, { text: 'written before it was interrupted' });
});

describe('kill -9 of all processes', () => {
  test('while the cluster is created, and again while helm installs: the next up makes all of it', async () => {
    expect(await checkout.run('down')).toMatchObject({ exitCode: 0 });
    const first = checkout.start('up', '--yes');
    await first.said(`❯ cluster ${checkout.name}`);
    await expect.poll(() => listNodes(checkout), { interval: 50 }).toHaveLength(1);
    await first.kill();
    const [half] = await listNodes(checkout);
    expect(half).toBeDefined();

    const second = checkout.start('up', '--yes');
    await second.said('replacing an incomplete cluster of a previous run');
    await second.said(`✔ cluster ${checkout.name}`);
    await killWhen('pending-install', second);
    const nodes = await listNodes(checkout);
    expect(nodes).toHaveLength(1);
    expect(nodes).not.toContain(half);
    expect(await readReleases(checkout)).toMatchObject({ [infrastructure]: '1 pending-install' });

    const { stderr, exitCode } = await checkout.run('up', '--yes');
    expect({ stderr, exitCode }).toMatchObject({
      stderr: expect.stringContaining(`release ${infrastructure} was left pending-install: uninstalling it`),
      exitCode: 0,
    });
    expect(stderr).toMatch(/The last run was interrupted during: .*wealist-infrastructure/);
    expect(await listNodes(checkout)).toEqual(nodes);
    expect(await readReleases(checkout)).toMatchObject({ [infrastructure]: '1 deployed' });
    await expectAllThere();
  });

  test('while helm upgrades: taken back, and then made so', async () => {
    await setLogLevel('warn');
    await killWhen('pending-upgrade', checkout.start('up', '--yes'));
    expect(await readReleases(checkout)).toMatchObject({
      [infrastructure]: expect.stringMatching(/pending-upgrade$/),
    });

    expect(await checkout.up()).toMatchObject({ changed: true });
    expect(await readReleases(checkout)).toMatchObject({
      [infrastructure]: expect.stringMatching(/deployed$/),
    });
    const [config] = await listObjects(
      checkout,
      'configmaps',
      '--field-selector=metadata.name=wealist-shared-config',
    );
    expect(config?.data).toMatchObject({ LOG_LEVEL: 'warn' });
    await expectAllThere();
  });
});

describe('signals', () => {
  test('Ctrl-C: exit code 130 and the command that goes on; another run meanwhile is told to wait', async () => {
    await setLogLevel('info');
    const running = checkout.start('up', '--yes');
    await running.said('❯ wealist-infrastructure');

    const other = await checkout.run('up', '--yes');
    expect(other.exitCode).toBe(10);
    const [, pid] = /another run is in progress: npm run up .*\(PID (\d+)\)/.exec(other.stderr) ?? [];
    const below = await listDescendants(running.pid);
    expect(below.map((each) => String(each.pid))).toContain(pid);

    running.signalGroup('SIGINT');
    const { stderr, exitCode } = await running.ended;
    expect({ stderr, exitCode }).toMatchObject({
      stderr: expect.stringContaining('✗ interrupted'),
      exitCode: 130,
    });
    expect(stderr).toContain(`fix      npm run up -- --yes --name=${checkout.name}`);
    await expectGone(below);
    await checkout.up();
    await expectAllThere();
  });

  test('SIGSTOP to helm alone: it is named and killed, and the lock is free', async () => {
    const running = checkout.start('up', '--yes', '--repair');
    const helm = await findProgram(running, '/bin/helm');
    process.kill(helm, 'SIGSTOP');
    const { stderr, exitCode } = await running.ended;
    expect({ stderr, exitCode }).toMatchObject({
      stderr: expect.stringContaining('helm was killed: a signal had stopped it for 30 s'),
      exitCode: 3,
    });
    await checkout.up();
    await expectAllThere();
  });

  test('SIGTERM to npm alone: exit code 143, and no process stays behind', async () => {
    await setLogLevel('error');
    const running = checkout.start('up', '--yes');
    await running.said('❯ wealist-infrastructure');
    const below = await listDescendants(running.pid);
    running.signal('SIGTERM');
    const { stderr, exitCode, signal } = await running.ended;
    // npm ends as its script did, or by the signal that it was sent.
    expect(signal ?? exitCode).toSatisfy((how) => how === 143 || how === 'SIGTERM');
    expect(stderr).toContain('✗ terminated');
    await expectGone(below);
    await checkout.up();
    await expectAllThere();
  });
});

/** Gives every release something to do, until the end of the test. */
async function setLogLevel(level: string): Promise<void> {
  const undo = await checkout.edit('helm/environments/local-kind.yaml', (text) =>
    text.replace('LOG_LEVEL: debug', `LOG_LEVEL: ${level}`),
  );
  onTestFinished(undo);
}

/** Kills a run in the very moment in which the infrastructure's release is in this status. */
async function killWhen(status: string, running: Running): Promise<void> {
  const selector = `--selector=owner=helm,name=${infrastructure},status=${status}`;
  const words = ['get', 'secrets', `--namespace=${namespace}`, selector, '--watch', '--output=name'];
  const watch = start([kubectlOf(checkout), `--kubeconfig=${kubeconfigOf(checkout)}`, ...words], {
    cwd: checkout.root,
    env: process.env,
  });
  try {
    await Promise.race([watch.said('secret/'), running.ended]);
  } finally {
    await running.kill();
    await watch.kill();
  }
}

/** PID of a program that the command runs, as soon as it does. */
async function findProgram({ pid }: Running, path: string): Promise<number> {
  const find = async () => {
    for (const each of await listDescendants(pid)) {
      const words = await readFile(`/proc/${each.pid}/cmdline`, 'utf8').catch(() => '');
      if (words.split('\0')[0]?.endsWith(path)) return each.pid;
    }
    return 0;
  };
  let found = 0;
  await expect
    .poll(
      async () => {
        found = await find();
        return found;
      },
      { interval: 10, timeout: 60_000 },
    )
    .not.toBe(0);
  return found;
}

async function expectAllThere(): Promise<void> {
  expect(await listUnreadyPods(checkout, ...ours)).toEqual([]);
  expect(await requestJson(`${origin}svc/user/api/users/${row.id}`)).toMatchObject(row);
}
