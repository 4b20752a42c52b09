import { afterAll, beforeAll, describe, expect, onTestFinished } from 'vitest';
import { listDescendants } from '../../src/lib/processes.ts';
import {
  docker,
  listAddresses,
  listNodes,
  listUnreadyPods,
  nodeOf,
  occupyAddresses,
  ours,
} from './cluster.ts';
import { request, requestJson } from './ingress.ts';
import { expectGone, type Running } from './running.ts';
import { sharedCheckout, test } from './shared-checkout.ts';

const checkout = sharedCheckout();
let origin = '';
let row: { readonly id: number };
/** Open through all of it. */
let forward: Running;
let port = '';

beforeAll(async () => {
  origin = (await checkout.up()).addresses[0]?.url ?? '';
  row = await requestJson(`${origin}svc/user/api/users`, { text: 'written before it stopped' });
  forward = checkout.start('forward', 'user-service', '--json');
  await forward.said('open until Ctrl-C');
  // It is printed on stdout, which may arrive later than stderr.
  await forward.said('"port":');
  [, port = ''] = /"port":(\d+)/.exec(forward.printed()) ?? [];
});

afterAll(async () => {
  forward?.signalGroup('SIGINT');
  await forward?.ended;
});

describe('a node that does not run', () => {
  test.each([
    ['stop', 'is stopped'],
    ['pause', 'is paused'],
    ['kill', 'is stopped'],
  ])('docker %s: why says that it %s, and up brings it back with all it had', async (command, words) => {
    const before = await listNodes(checkout);
    await docker(command, nodeOf(checkout.name));
    expect(await checkout.run('why')).toMatchObject({
      stdout: `✗ cluster ${checkout.name} ${words}\n  next     npm run up\n`,
      exitCode: 8,
    });
    const { milliseconds } = await checkout.up();
    process.stderr.write(`after docker ${command}, ready again in ${(milliseconds / 1000).toFixed(1)} s\n`);
    expect(await listNodes(checkout)).toEqual(before);
    await expectAllThere();
  });

  test.each([
    ['up', ['up', '--yes', '--repair'], 'rendering and applying its chart'],
    ['db save', ['db', 'save', 'paused'], 'writes are blocked during the dump'],
    ['reload', ['reload', 'frontend', '--verbose'], 'rolling out'],
  ] as const)(
    'docker pause in the middle of %s ends it with the reason, and the lock is free',
    async (name, words, line) => {
      if (name === 'reload') {
        const rename = (text: string) => text.replace('<title>weAlist', '<title>paused');
        onTestFinished(await checkout.edit('services/frontend/public/index.html', rename));
      }
      const [command, ...rest] = words;
      const running = checkout.start(command, ...rest);
      await running.said(line);
      const node = nodeOf(checkout.name);
      await docker('pause', node);
      const below = await listDescendants(running.pid);
      const { stderr, exitCode } = await running.ended;
      expect({ stderr, exitCode }).toMatchObject({
        stderr: expect.stringContaining(
          `✗ node ${node} is paused\n  fix      docker unpause ${node}, or npm run up\n`,
        ),
        exitCode: 5,
      });
      await expectGone(below);
      await checkout.up();
      await expectAllThere();
    },
  );

  test('its address taken meanwhile: up brings it back on another one', async () => {
    const node = nodeOf(checkout.name);
    const [before = ''] = await listAddresses([node]);
    const [image = ''] = await docker('inspect', '--format={{.Config.Image}}', node);
    await docker('stop', '--time=2', node);
    const squatters = await occupyAddresses([before], image);
    try {
      await checkout.up();
      expect(await listAddresses([node])).not.toContain(before);
      await expectAllThere();
    } finally {
      await docker('rm', '--force', ...squatters);
    }
  });

  test('down --stop stops it, and up resumes it', async () => {
    const before = await listNodes(checkout);
    const { stdout, exitCode } = await checkout.run('down', '--stop');
    expect({ stdout, exitCode }).toMatchObject({
      stdout: expect.stringContaining('is stopped'),
      exitCode: 0,
    });
    expect(await docker('inspect', '--format={{.State.Status}}', nodeOf(checkout.name))).toEqual(['exited']);
    await checkout.up();
    expect(await listNodes(checkout)).toEqual(before);
    await expectAllThere();
  });
});

async function expectAllThere(): Promise<void> {
  expect(await listUnreadyPods(checkout, ...ours)).toEqual([]);
  expect(await requestJson(`${origin}svc/user/api/users/${row.id}`)).toMatchObject(row);
  expect(await request(origin)).toMatchObject({ status: 200 });
  expect(await request(`http://localhost:${port}/health/ready`)).toMatchObject({ status: 200 });
}
