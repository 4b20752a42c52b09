import { expect, test } from 'vitest';
import type { CheckContext } from '../../src/machine/checks/check.ts';
import { checkRoutes } from '../../src/machine/checks/routes.ts';
import type { Engine } from '../../src/machine/engine.ts';
import type { Docker, DockerNetwork } from '../../src/tools/docker/docker.ts';
import { makeHost } from '../fakes/host.ts';

const kind: DockerNetwork = { subnets: ['fc00:f853::/64', '172.18.0.0/16'], device: 'br-0123456789ab' };

/** A line of /proc/net/route: addresses and masks in the byte order of an Intel processor. */
function toLine(device: string, address: string, mask: string): string {
  const toHex = (text: string) => Buffer.from(text.split('.').map(Number).reverse()).toString('hex');
  return `${device}\t${toHex(address)}\t00000000\t0001\t0\t0\t0\t${toHex(mask)}\t0\t0\t0`;
}

const usual = [
  toLine('eth0', '0.0.0.0', '0.0.0.0'),
  toLine('docker0', '172.17.0.0', '255.255.0.0'),
  toLine('br-0123456789ab', '172.18.0.0', '255.255.0.0'),
];

async function check(routes: readonly string[], network: DockerNetwork | undefined = kind, engine = {}) {
  const { host } = await makeHost({
    files: { 'proc/net/route': ['Iface\tDestination\tGateway', ...routes, ''].join('\n') },
  });
  const docker: Partial<Docker> = { findNetwork: async () => network };
  const { signal } = new AbortController();
  const context: Partial<CheckContext> = { host, signal, docker: docker as Docker, engine: engine as Engine };
  return checkRoutes(context as CheckContext);
}

test('the usual routes of an engine leave the nodes their addresses', async () => {
  expect(await check(usual)).toMatchObject([{ state: 'ok' }]);
});

test.each([
  ['the same range', toLine('tun0', '172.18.0.0', '255.255.0.0'), '172.18.0.0/16'],
  ['a part of it', toLine('tun0', '172.18.0.0', '255.255.255.0'), '172.18.0.0/24'],
])('a VPN that has %s is named with what to do', async (_, route, range) => {
  expect(await check([...usual, route])).toMatchObject([
    {
      state: 'warn',
      detail: `${range} is routed to tun0, and 172.18.0.0/16 is the network of the nodes`,
      fix: expect.stringContaining('docker network rm kind'),
    },
  ]);
});

test('a wider route loses against that of the network, and a neighbouring one is none of ours', async () => {
  const others = [
    toLine('tun0', '172.16.0.0', '255.240.0.0'),
    toLine('tun0', '172.19.0.0', '255.255.0.0'),
    toLine('tun0', '10.0.0.0', '255.0.0.0'),
  ];
  expect(await check([...usual, ...others])).toMatchObject([{ state: 'ok' }]);
});

test('nothing is checked without the network, or for an engine in a virtual machine', async () => {
  const route = toLine('tun0', '172.18.0.0', '255.255.0.0');
  expect(await check([route], kind, { inVirtualMachine: true })).toEqual([]);
  const { host } = await makeHost();
  const docker: Partial<Docker> = { findNetwork: async () => undefined };
  const context: Partial<CheckContext> = { host, docker: docker as Docker, engine: {} as Engine };
  expect(await checkRoutes(context as CheckContext)).toEqual([]);
});
