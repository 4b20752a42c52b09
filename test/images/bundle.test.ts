import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { type BundledFile, bundleStandIn } from '../../src/images/bundle.ts';
import { describeLockedPackages } from '../../src/images/locked-packages.ts';
import { bundledPackages } from '../../src/images/service-source.ts';
import { exitCodes } from '../../src/lib/failure.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const checkout = join(import.meta.dirname, '../..');
const bundle = (name: string) =>
  bundleStandIn(join(checkout, 'services', name), { name, sourceHash: `hash of ${name}` });
const textOf = (files: readonly BundledFile[], path: string) =>
  Buffer.from(files.find((file) => file.path === path)?.content ?? '').toString();

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

/** Runs what the image would hold, far from the checkout and its node_modules. */
async function run(files: readonly BundledFile[], env: Readonly<Record<string, string>>) {
  const folder = await makeTemporaryFolder();
  for (const { path, content, mode } of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content, { mode });
  }
  const program = spawn(process.execPath, [join(folder, 'app/main.js')], { env, cwd: folder });
  onTestFinished(() => void program.kill('SIGKILL'));
  const exited = once(program, 'exit');
  const output = Promise.all([text(program.stdout), text(program.stderr)]);
  return { program, exited, output };
}

async function answerOf(url: string): Promise<Response> {
  for (;;) {
    const response = await fetch(url).catch(() => undefined);
    if (response) return response;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Every key that a service may read; nothing answers at the addresses. */
const env = {
  ...Object.fromEntries(
    ['AUTH', 'USER', 'BOARD', 'CHAT', 'NOTI', 'STORAGE', 'VIDEO'].map((name) => [
      `${name}_SERVICE_URL`,
      'http://127.0.0.1:1',
    ]),
  ),
  DATABASE_URL: 'postgresql://user:password@127.0.0.1:1/database',
  REDIS_URL: 'redis://127.0.0.1:1',
  S3_ENDPOINT: 'http://127.0.0.1:1',
  S3_BUCKET: 'wealist-files',
  S3_REGION: 'ap-northeast-2',
  S3_ACCESS_KEY: 'key',
  S3_SECRET_KEY: 'secret',
  JWT_SECRET: 's'.repeat(64),
};

test('the program runs by itself, alive at once while nothing that it needs answers', async () => {
  const port = await findFreePort();
  const { program, exited, output } = await run(await bundle('board-service'), {
    ...env,
    PORT: String(port),
  });
  expect((await answerOf(`http://127.0.0.1:${port}/health/live`)).status).toBe(200);
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).json()).toMatchObject({
    name: 'board-service',
    version: JSON.parse(await readFile(join(checkout, 'package.json'), 'utf8')).version,
    sourceHash: 'hash of board-service',
    ready: false,
  });
  program.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
  const [stdout, stderr] = await output;
  expect(stderr).toBe('');
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.map(({ message }) => message)).toEqual(
    expect.arrayContaining(['listening', 'redis is down: connect ECONNREFUSED 127.0.0.1:1', 'stopped']),
  );
});

test('it ends with one line that names every problem of its configuration', async () => {
  const { DATABASE_URL: _left, ...rest } = env;
  const { exited, output } = await run(await bundle('noti-service'), { ...rest, JWT_SECRET: 'short' });
  expect(await exited).toEqual([1, null]);
  const [stdout, stderr] = await output;
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toMatchObject({
    level: 'error',
    service: 'noti-service',
    message:
      'configuration: DATABASE_URL is not set; JWT_SECRET is 5 bytes long, at least 64 are needed; ' +
      'INTERNAL_API_KEY is not set',
  });
});

test('the frontend brings its page', async () => {
  const files = await bundle('frontend');
  expect(files.map(({ path }) => path)).toEqual(
    expect.arrayContaining(['app/main.js', 'app/public/index.html', 'app/public/app.js']),
  );
  const port = await findFreePort();
  await run(files, { ...env, PORT: String(port) });
  const page = await answerOf(`http://127.0.0.1:${port}/`);
  expect(await page.text()).toBe(
    await readFile(join(checkout, 'services/frontend/public/index.html'), 'utf8'),
  );
});

test('the same sources give the same bytes, and nothing of this machine is in them', async () => {
  const [one, other] = await Promise.all([bundle('chat-service'), bundle('chat-service')]);
  const describe = ({ path, mode, content }: BundledFile) =>
    `${path} ${mode} ${createHash('sha256').update(content).digest('hex')}`;
  expect(one.map(describe)).toEqual(other.map(describe));
  for (const { path } of one) expect(textOf(one, path)).not.toContain(checkout);
});

test('carries only packages that its source hash knows', async () => {
  const files = await bundle('board-service');
  const { sources } = JSON.parse(textOf(files, 'app/main.js.map')) as { sources: string[] };
  const bundled = new Set(sources.flatMap((source) => /node_modules\/(?:@[^/]+\/)?[^/]+/.exec(source) ?? []));
  const lockFile = await readFile(join(checkout, 'package-lock.json'), 'utf8');
  const known = describeLockedPackages(lockFile, bundledPackages).map((line) => line.split(' ')[0]);
  expect([...bundled]).toContain('node_modules/pg');
  expect([...bundled].filter((name) => !known.includes(name))).toEqual([]);
});

test('a mistake in the sources is a failure with its place', async () => {
  const folder = await makeTemporaryFolder();
  await writeFile(join(folder, 'main.ts'), 'const a = 1;\nconst b = ;\n');
  await expect(bundleStandIn(folder, { name: 'x-service', sourceHash: '' })).rejects.toMatchObject({
    message: expect.stringMatching(/^x-service does not compile: .*main\.ts:2:11: Unexpected ";"$/),
    exitCode: exitCodes.image,
  });
});
