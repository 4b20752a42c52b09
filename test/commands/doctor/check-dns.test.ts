import { expect, test } from 'vitest';
import { checkDns } from '../../../src/commands/doctor/check-dns.ts';
import { CommandFailure } from '../../../src/lib/failure.ts';
import type { ContainerState } from '../../../src/tools/docker/containers.ts';

const app = { signal: new AbortController().signal };

/** The check on a node that ends with this exit code when it is asked for a name. */
async function check({
  status = 0,
  state = 'running' as ContainerState,
  known = ['docker.io', 'registry.k8s.io'] as readonly string[],
} = {}) {
  const asked: string[] = [];
  const dockerCli = {
    async exec(container: string, argv: readonly string[]) {
      asked.push(`${container}: ${argv.join(' ')}`);
      if (status !== 0) throw new CommandFailure('docker ended', { argv, status, stdout: '', stderr: '' });
      return { stdout: '', stderr: '' };
    },
  };
  const nodes = [{ id: 'id', name: 'wealist-control-plane', state }];
  const isKnownHere = async (name: string) => known.includes(name);
  const names = ['quay.io', 'docker.io', 'registry.k8s.io'];
  return { asked, checks: await checkDns(app, { nodes }, { dockerCli, names, isKnownHere }) };
}

test('a node that resolves what this machine resolves', async () => {
  const { asked, checks } = await check();
  expect(asked).toEqual(['wealist-control-plane: timeout 5 getent hosts docker.io']);
  expect(checks).toMatchObject([{ state: 'ok', detail: 'resolves docker.io' }]);
});

test.each([2, 124])(
  'after a change of the network a node does not: the way out is a restart (exit code %i)',
  async (status) => {
    expect((await check({ status })).checks).toMatchObject([
      {
        state: 'warn',
        detail: expect.stringMatching(/^does not resolve docker\.io, which this machine does/),
        fix: 'npm run down -- --stop, then npm run up',
      },
    ]);
  },
);

test('offline, with a stopped node, or where the node cannot be asked, nothing is said', async () => {
  expect(await check({ known: [] })).toEqual({ asked: [], checks: [] });
  expect(await check({ state: 'exited' })).toEqual({ asked: [], checks: [] });
  expect((await check({ status: 127 })).checks).toEqual([]);
});
