import { expect, test } from 'vitest';
import { hasSysResource, parseOsRelease } from '../../src/machine/host.ts';
import { debian, granted, makeHost, withheld } from '../fakes/host.ts';

test('a bare Debian without systemd, CAP_SYS_RESOURCE withheld', async () => {
  const { host } = await makeHost({
    files: {
      ...debian,
      ...withheld,
      'proc/net/route': 'Iface\tDestination\tGateway\nlo\t0000007F\t00000000\neth0\t00000000\t010200C0\n',
      'sys/class/net/eth0/mtu': '1400\n',
      'proc/sys/fs/inotify/max_user_instances': '128\n',
      'proc/sys/fs/inotify/max_user_watches': '192536\n',
    },
    programs: { 'apt-get': '' },
  });
  expect(host).toMatchObject({
    name: 'Debian GNU/Linux 12 (bookworm)',
    hasApt: true,
    hasSystemd: false,
    hasSudo: false,
    isRoot: true,
    canRaiseLimits: false,
    dockerd: undefined,
    mtu: 1400,
    inotify: { max_user_instances: 128, max_user_watches: 192_536 },
    lowestPort: 1024,
  });
});

test('with systemd the engine inherits from the first process, not from this one', async () => {
  const { host } = await makeHost({
    files: { ...withheld, 'proc/1/status': granted['proc/self/status'], 'run/systemd/system/x': '' },
  });
  expect(host).toMatchObject({ hasSystemd: true, canRaiseLimits: true });
});

test('apt-get on a distribution of another family is not used', async () => {
  const files = { 'etc/os-release': 'ID=altlinux\nPRETTY_NAME="ALT"\n' };
  const { host } = await makeHost({ files, programs: { 'apt-get': '' } });
  expect(host).toMatchObject({ hasApt: false, name: 'ALT' });
});

test('a derivative of Ubuntu is of the family', async () => {
  const files = { 'etc/os-release': 'ID=linuxmint\nID_LIKE="ubuntu debian"\nPRETTY_NAME="Linux Mint 22"\n' };
  const { host } = await makeHost({ files, programs: { 'apt-get': '' } });
  expect(host.hasApt).toBe(true);
});

test('an installed engine is found outside of a PATH without sbin', async () => {
  const { host, root } = await makeHost({ files: { 'usr/sbin/README': '' } });
  expect(host.dockerd).toBeUndefined();
  const { chmod, writeFile } = await import('node:fs/promises');
  await writeFile(`${root}/usr/sbin/dockerd`, '');
  await chmod(`${root}/usr/sbin/dockerd`, 0o755);
  const { readHost } = await import('../../src/machine/host.ts');
  expect((await readHost({ root, env: { PATH: '/nowhere' } })).dockerd).toBe(`${root}/usr/sbin/dockerd`);
});

test('a status that cannot be read does not stand in the way', () => {
  expect(hasSysResource('')).toBe(true);
  expect(hasSysResource('CapBnd:\t0000000001000000')).toBe(true);
  expect(hasSysResource('CapBnd:\t0000000000000000')).toBe(false);
});

test('quotes of os-release belong to the file', () => {
  const fields = parseOsRelease('ID=fedora\nPRETTY_NAME="Fedora Linux 44"\nX=\'a b\'\n# no\n');
  expect([...fields]).toEqual([
    ['ID', 'fedora'],
    ['PRETTY_NAME', 'Fedora Linux 44'],
    ['X', 'a b'],
  ]);
});
