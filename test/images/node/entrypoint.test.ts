import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { exec } from '../../../src/tools/exec.ts';

const entrypoint = join(import.meta.dirname, '../../../images/node/rootfs/usr/local/bin/entrypoint');

/** Calls one function of the entrypoint, which runs nothing else. */
const call = async (...command: readonly string[]) =>
  (
    await exec('bash', ['-c', 'file=$1; shift; source "$file"; "$@"', 'bash', entrypoint, ...command])
  ).stdout.trim();

// Only Linux gives a program every address of 127.0.0.0/8, and has ss.
test.skipIf(process.platform !== 'linux')(
  "Docker's resolver is found by its sockets, whatever firewall sends port 53 to it",
  async () => {
    expect(await call('resolver_address', 'udp')).toBe('');
    const udp = createSocket('udp4').bind(0, '127.0.0.11');
    const tcp = createServer().listen(0, '127.0.0.11');
    await Promise.all([once(udp, 'listening'), once(tcp, 'listening')]);
    onTestFinished(() => {
      udp.close();
      tcp.close();
    });
    expect(await call('resolver_address', 'udp')).toBe(`127.0.0.11:${udp.address().port}`);
    expect(await call('resolver_address', 'tcp')).toBe(`127.0.0.11:${(tcp.address() as AddressInfo).port}`);
  },
);
