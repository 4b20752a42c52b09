import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { makeCanary } from '../e2e/canary.ts';
import { listOpenListeners } from '../e2e/listeners.ts';
import { watchProcesses } from '../e2e/process-watch.ts';
import { listWritableByOthers } from '../e2e/reachable-files.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

// What the scenarios look for has to be found where it is, or they would prove nothing. All of it needs /proc.
describe.skipIf(process.platform !== 'linux')('the scenarios find', () => {
  function start(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const child = spawn('sh', ['-c', 'sleep 60; true', ...args], {
      env: { ...process.env, ...env },
      detached: true,
    });
    onTestFinished(() => {
      if (child.exitCode === null && child.signalCode === null) process.kill(-(child.pid ?? 0), 'SIGKILL');
    });
    return child;
  }

  test('a secret in the arguments of a process, and in an environment', async () => {
    const watch = watchProcesses(makeCanary({ PASSWORD: 'canary-7f3a-words', TOKEN: 'canary-9b1c-words' }));
    start(['--password=canary-7f3a-words']);
    start([], { TOKEN: 'canary-9b1c-words' });
    await expect.poll(() => watch.sightings().length).toBeGreaterThan(1);
    const { sightings, seen } = await watch.stop();
    expect(sightings).toEqual(
      expect.arrayContaining([
        { secret: 'PASSWORD', where: 'arguments', program: 'sh' },
        { secret: 'TOKEN', where: 'environment', program: 'sh' },
      ]),
    );
    expect(seen).toBeGreaterThan(2);
  });

  test('a socket that other machines reach, and none on 127.0.0.1', async () => {
    const listen = async (host: string) => {
      const server = createServer().listen(0, host);
      onTestFinished(() => void server.close());
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      return `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
    };
    const open = await listen('0.0.0.0');
    const loopback = await listen('127.0.0.1');
    const found = await listOpenListeners();
    expect(found.filter((address) => address.endsWith(open))).toHaveLength(1);
    expect(found.filter((address) => address.endsWith(loopback))).toEqual([]);
  });

  test('a file that others can write to, but not below a folder that they cannot enter', async () => {
    const folder = await makeTemporaryFolder();
    await chmod(folder, 0o755);
    for (const [name, mode] of [
      ['open', 0o755],
      ['closed', 0o700],
    ] as const) {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, 'file'), '');
      await chmod(join(folder, name, 'file'), 0o666);
      await chmod(join(folder, name), mode);
    }
    expect(await listWritableByOthers(folder)).toEqual([join(folder, 'open/file')]);
  });
});
