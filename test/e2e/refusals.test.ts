import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect } from 'vitest';
import { openCheckout } from './checkout.ts';
import { docker, listNodes, nodeOf, readReleases } from './cluster.ts';
import { sharedCheckout, test } from './shared-checkout.ts';

const checkout = sharedCheckout();

beforeAll(async () => {
  await checkout.up();
});

describe('a cluster of another checkout', () => {
  test.each([['up', '--yes'], ['down'], ['down', '--delete-data', '--yes'], ['down', '--stop']])(
    '%s %s: refused with both ways out, and the cluster untouched',
    async (command, ...words) => {
      const before = await readTraces();
      const other = checkout.withState(join(checkout.folder, 'other-state'));
      const { stderr, exitCode } = await other.run(command, ...words);
      expect({ stderr, exitCode }).toMatchObject({
        stderr: expect.stringContaining(`✗ cluster ${checkout.name} belongs to another checkout`),
        exitCode: 9,
      });
      expect(stderr).toContain(`npm run up -- --name ${checkout.name}-2`);
      expect(stderr).toContain('npm run down in the checkout that owns it');
      expect(await readTraces()).toEqual(before);
    },
  );
});

describe('a cluster whose data is in another folder', () => {
  test.each([
    ['up', '--yes'],
    ['down', '--delete-data', '--yes'],
  ])('%s %s: refused with both ways out, and the cluster untouched', async (command, ...words) => {
    const before = await readTraces();
    const data = join(checkout.folder, 'other-data');
    const other = openCheckout(checkout, { XDG_DATA_HOME: data });
    const { stderr, exitCode } = await other.run(command, ...words);
    expect({ stderr, exitCode }).toMatchObject({
      stderr: expect.stringContaining(`✗ cluster ${checkout.name} has its data in ${checkout.data}, and`),
      exitCode: 9,
    });
    expect(stderr).toContain(`XDG_DATA_HOME=${join(checkout.folder, 'data')} npm run ${command}`);
    expect(stderr).toContain('or npm run down, which removes the cluster');
    expect(await readdir(checkout.folder)).not.toContain('other-data');
    expect(await readTraces()).toEqual(before);
  });
});

describe('a checkout that lost its state folder, as by git clean', () => {
  test('is led to up, which adopts the cluster and changes nothing in it', async () => {
    const before = await readTraces();
    await rm(join(checkout.root, '.wealist'), { recursive: true });
    const refused = await checkout.run('down');
    expect(refused).toMatchObject({
      stderr: expect.stringContaining(`belongs to checkout ${checkout.root}, which has lost its ID`),
      exitCode: 9,
    });
    expect(refused.stderr).toContain(`npm run up -- --name ${checkout.name}, which adopts the cluster`);
    const { stderr, exitCode } = await checkout.run('up', '--yes');
    expect({ stderr, exitCode }).toMatchObject({
      stderr: expect.stringContaining('which has lost its ID. This checkout will own it:'),
      exitCode: 0,
    });
    expect(await readTraces()).toEqual(before);
  });
});

describe('the loss of data', () => {
  test('is refused where its name cannot be typed, and nothing is lost', async () => {
    const before = await readTraces();
    const { stderr, exitCode } = await checkout.run('down', '--delete-data');
    expect(exitCode).toBe(9);
    expect(stderr).toContain('wealist-kind-local/data-postgres-0');
    expect(stderr).toContain('-- --delete-data');
    expect(await readTraces()).toEqual(before);
  });
});

describe('a cluster that this tool did not make', () => {
  test('is left alone', async () => {
    // All that a Kind cluster looks like from outside: a container with its name and its label.
    const name = `${checkout.name}-foreign`;
    const [image = ''] = await docker('inspect', '--format={{.Image}}', nodeOf(checkout.name));
    const labels = [
      '--label',
      `io.x-k8s.kind.cluster=${name}`,
      '--label',
      'io.x-k8s.kind.role=control-plane',
    ];
    await docker('create', '--name', nodeOf(name), ...labels, image);
    try {
      const state = join(checkout.folder, 'foreign-state');
      await mkdir(state);
      const other = checkout.withState(state);
      for (const words of [
        ['up', '--yes'],
        ['down', '--delete-data', '--yes'],
      ]) {
        const [command = '', ...rest] = words;
        const { stderr, exitCode } = await other.run(command, ...rest, `--name=${name}`);
        expect({ words, stderr, exitCode }).toMatchObject({
          stderr: expect.stringContaining(`✗ cluster ${name} was not created by wealist-local`),
          exitCode: 9,
        });
      }
      expect(await docker('ps', '--all', '--quiet', `--filter=name=^${nodeOf(name)}$`)).toHaveLength(1);
    } finally {
      await docker('rm', '--force', '--volumes', nodeOf(name));
    }
  });
});

async function readTraces() {
  const format = '--format={{.Id}} {{.State.Status}} {{.State.StartedAt}}';
  return {
    nodes: await listNodes(checkout),
    node: await docker('inspect', format, nodeOf(checkout.name)),
    data: await readdir(join(checkout.data, 'volumes/wealist-kind-local')),
    releases: await readReleases(checkout),
  };
}
