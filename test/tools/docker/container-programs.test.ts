import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { listPrograms, openInspector } from '../../../src/tools/docker/container-programs.ts';
import { exec } from '../../../src/tools/exec.ts';
import { closeInspector } from '../../../src/tools/inspector.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

const { signal } = new AbortController();

/** Without /proc there is no node, either. */
const testOnLinux = test.skipIf(process.platform !== 'linux');

/** A free port. */
async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

/** A node whose one container runs these processes: the scripts read this machine's /proc. */
async function makeNode(...processes: readonly ChildProcess[]) {
  const folder = await makeTemporaryFolder();
  const ctr = join(folder, 'ctr');
  const lines = processes.map(({ pid }) => `${pid} -`).join('\n');
  await writeFile(
    ctr,
    `#!/bin/sh\nif [ "$3" = list ]; then echo "TASK PID STATUS"; echo "box ${processes[0]?.pid} RUNNING"; else printf 'PID INFO\\n${lines.replaceAll('\n', '\\n')}\\n'; fi\n`,
  );
  await chmod(ctr, 0o755);
  const env = { PATH: `${folder}:${process.env.PATH}` };
  return {
    exec: (_node: string, [program = '', ...args]: readonly string[]) => exec(program, args, { env }),
  };
}

async function startProgram(argv: readonly string[]): Promise<ChildProcess> {
  const child = spawn(argv[0] ?? '', argv.slice(1), { stdio: ['ignore', 'pipe', 'ignore'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'spawn');
  return child;
}

/** A Node.js process that listens on a port. */
async function startServer(port: number, ...flags: string[]): Promise<ChildProcess> {
  const script = `require('node:http').createServer((_, r) => r.end('ok')).listen(${port}, '127.0.0.1', () => console.log('up'))`;
  const child = await startProgram([process.execPath, ...flags, '--eval', script]);
  if (child.stdout) await once(child.stdout, 'data');
  return child;
}

testOnLinux('the process that listens on the port is found among those of a container', async () => {
  const port = await findFreePort();
  const shell = await startProgram(['sleep', '60']);
  const server = await startServer(port);
  const node = await makeNode(shell, server);
  const { programs } = await listPrograms(node, 'node', { container: 'box', port }, signal);
  expect(programs).toMatchObject([
    { nodePid: shell.pid, listens: false, runtime: 'other' },
    {
      nodePid: server.pid,
      listens: true,
      runtime: 'node',
      user: process.getuid?.(),
      group: process.getgid?.(),
      folder: process.cwd(),
    },
  ]);
});

testOnLinux('a container that does not run', async () => {
  const node = await makeNode(await startProgram(['sleep', '60']));
  const listing = listPrograms(node, 'node', { container: 'other', port: 1 }, signal);
  await expect(listing).rejects.toMatchObject({ stderr: expect.stringContaining('other does not run') });
});

testOnLinux('the inspector of a running Node.js is switched on, and off again', async () => {
  const [port, inspector] = [await findFreePort(), await findFreePort()];
  const server = await startServer(port, `--inspect-port=${inspector}`);
  const node = await makeNode(server);
  const target = { nodePid: server.pid ?? 0, port: inspector };
  expect(await openInspector(node, 'node', target, signal)).toBe('opened');
  expect(await openInspector(node, 'node', target, signal)).toBe('open');
  await closeInspector(inspector, signal);
  await expect(fetch(`http://127.0.0.1:${inspector}/json/list`)).rejects.toThrow();
  expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe('ok');
});

testOnLinux('a process that would end by the signal does not get it', async () => {
  const sleeping = await startProgram(['sleep', '60']);
  const node = await makeNode(sleeping);
  const target = { nodePid: sleeping.pid ?? 0, port: await findFreePort() };
  expect(await openInspector(node, 'node', target, signal)).toBe('refused');
  expect(sleeping.exitCode).toBeNull();
  expect(sleeping.signalCode).toBeNull();
});
