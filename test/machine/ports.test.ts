import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { expect, onTestFinished, test } from 'vitest';
import { findPortOwner, parseListeners } from '../../src/machine/port-owner.ts';
import { choosePorts } from '../../src/machine/ports.ts';
import { exec } from '../../src/tools/exec.ts';
import { isServedOnIpv6, type PortState, probePort } from '../../src/tools/port-probe.ts';
import { makeHost } from '../fakes/host.ts';

/** Listens on a free port until the test ends. */
async function listen(host = '127.0.0.1'): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen({ port: 0, host }, resolve));
  onTestFinished(() => {
    server.close();
  });
  return (server.address() as { port: number }).port;
}

const probeOf = (states: Readonly<Record<number, PortState>>) => async (port: number) =>
  states[port] ?? 'free';

const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
);

test.each(['127.0.0.1', '0.0.0.0', ...(hasIpv6 ? ['::1', '::'] : [])])(
  'a listener on %s takes the port',
  async (address) => {
    expect(await probePort(await listen(address))).toBe('taken');
  },
);

test.runIf(hasIpv6)('a program on the IPv6 loopback moves the pair, and is named', async () => {
  const port = await listen('::1');
  expect((await choosePorts({ http: port, https: port + 1 })).http).not.toBe(port);
  expect(await isServedOnIpv6(port)).toBe(true);
  const { host } = await makeHost({ platform: process.platform });
  const options = { host: { ...host, root: '/' }, exec, ipv6Only: true };
  expect(await findPortOwner(port, options)).toContain(`(PID ${process.pid})`);
  const other = await listen();
  expect(await isServedOnIpv6(other)).toBe(false);
  expect(await findPortOwner(other, options)).toBeUndefined();
});

test('asking does not take it', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1' }, resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  expect(await probePort(port)).toBe('free');
  expect(await probePort(port)).toBe('free');
});

test('the wanted pair where it is free', async () => {
  expect(await choosePorts({ http: 80, https: 443 }, { probe: probeOf({}) })).toEqual({
    http: 80,
    https: 443,
  });
});

test('one of the two taken moves both', async () => {
  const probe = probeOf({ 443: 'taken', 8081: 'taken' });
  expect(await choosePorts({ http: 80, https: 443 }, { probe })).toEqual({ http: 8080, https: 8443 });
  const more = probeOf({ 443: 'taken', 8080: 'taken', 8444: 'taken' });
  expect(await choosePorts({ http: 80, https: 443 }, { probe: more })).toEqual({ http: 8082, https: 8445 });
});

test('a real listener moves it', async () => {
  const port = await listen();
  const chosen = await choosePorts({ http: port, https: port + 1 });
  expect(chosen.http).toBeGreaterThanOrEqual(8080);
  expect(await probePort(chosen.http)).toBe('free');
});

test('a port of a stopped cluster is spoken for', async () => {
  const options = { probe: probeOf({}), taken: new Set([80, 8080]) };
  expect(await choosePorts({ http: 80, https: 443 }, options)).toEqual({ http: 8081, https: 8444 });
});

test('what this user may not bind, the engine may; a rootless one may not', async () => {
  const probe = probeOf({ 80: 'denied', 443: 'denied' });
  expect(await choosePorts({ http: 80, https: 443 }, { probe })).toEqual({ http: 80, https: 443 });
  const rootless = await choosePorts({ http: 80, https: 443 }, { probe, lowest: 1024 });
  expect(rootless).toEqual({ http: 8080, https: 8443 });
});

test('everything taken: exit code 4', async () => {
  const chosen = choosePorts({ http: 80, https: 443 }, { probe: async () => 'taken' });
  await expect(chosen).rejects.toMatchObject({ exitCode: 4 });
});

test('the listening process is named', async () => {
  const port = await listen();
  const { host } = await makeHost({ platform: process.platform });
  const owner = await findPortOwner(port, { host: { ...host, root: '/' }, exec });
  expect(owner).toContain(`(PID ${process.pid})`);
});

test('listeners of both IP versions, and no others', () => {
  const table = `
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 111 1 0 100 0 0 10 0
   1: 0100007F:1F90 0100007F:C001 01 00000000:00000000 00:00000000 00000000  1000        0 222 1 0 20 4 30 10 -1
   2: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 333 1
   3: 0100007F:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 444 1`;
  expect(parseListeners(table, 8080)).toEqual(['socket:[111]', 'socket:[333]']);
  expect(parseListeners(table, 80)).toEqual(['socket:[444]']);
});
