import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type BundledFile, bundlePackages, bundleStandIn } from '../../../src/images/build/bundle.ts';
import { describeLockedPackages } from '../../../src/images/build/locked-packages.ts';
import { bundledPackages } from '../../../src/images/source/stand-in-source.ts';
import { exitCodes } from '../../../src/lib/failure.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';
import { answerOf, bundleEnv, findFreePort, runBundle } from './run-bundle.ts';

const checkout = join(import.meta.dirname, '../../..');
const bundle = (name: string) =>
  bundleStandIn(join(checkout, 'services', name), { name, sourceHash: `hash of ${name}` });
const textOf = (files: readonly BundledFile[], path: string) =>
  Buffer.from(files.find((file) => file.path === path)?.content ?? '').toString();

test('the program runs by itself, and is live while nothing that it needs responds', async () => {
  const port = await findFreePort();
  const { program, exited, output } = await runBundle(await bundle('board-service'), {
    ...bundleEnv,
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
  const { DATABASE_URL: _left, ...rest } = bundleEnv;
  const { exited, output } = await runBundle(await bundle('noti-service'), { ...rest, JWT_SECRET: 'short' });
  expect(await exited).toEqual([1, null]);
  const [stdout, stderr] = await output;
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toMatchObject({
    level: 'error',
    service: 'noti-service',
    message:
      'configuration: DATABASE_URL is not set; PORT is not set; JWT_SECRET is 5 bytes long, minimum is 64; ' +
      'INTERNAL_API_KEY is not set',
  });
});

test('the frontend contains its page', async () => {
  const files = await bundle('frontend');
  expect(files.map(({ path }) => path)).toEqual(
    expect.arrayContaining(['app/main.js', 'app/public/index.html', 'app/public/app.js']),
  );
  const port = await findFreePort();
  await runBundle(files, { ...bundleEnv, PORT: String(port) });
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

test('packages are separate files: exactly those that the source hash covers', async () => {
  const [own, packages] = await Promise.all([bundle('board-service'), bundlePackages()]);
  const required = [...textOf(own, 'app/main.js').matchAll(/require\("\.\/(packages\/[^"]+)"\)/g)];
  expect(required.length).toBeGreaterThan(2);
  for (const [, path] of required) expect(packages.map((file) => file.path)).toContain(`app/${path}`);

  const lockFile = await readFile(join(checkout, 'package-lock.json'), 'utf8');
  const known = describeLockedPackages(lockFile, bundledPackages).map((line) => line.split(' ')[0]);
  const listPackages = (files: readonly BundledFile[]) =>
    files
      .filter(({ path }) => path.endsWith('.map'))
      .flatMap(({ path }) => (JSON.parse(textOf(files, path)) as { sources: string[] }).sources)
      .flatMap((source) => /node_modules\/(?:@[^/]+\/)?[^/]+/.exec(source) ?? []);
  expect(listPackages(own)).toEqual([]);
  expect(listPackages(packages)).toContain('node_modules/pg');
  expect(listPackages(packages).filter((name) => !known.includes(name))).toEqual([]);
});

test('an error in the sources is a failure with its location', async () => {
  const folder = await makeTemporaryFolder();
  await writeFile(join(folder, 'main.ts'), 'const a = 1;\nconst b = ;\n');
  await expect(bundleStandIn(folder, { name: 'x-service', sourceHash: '' })).rejects.toMatchObject({
    message: expect.stringMatching(/^x-service does not compile: .*main\.ts:2:11: Unexpected ";"$/),
    exitCode: exitCodes.image,
  });
});
