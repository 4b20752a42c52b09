import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import packageJson from '../package.json' with { type: 'json' };
import { makeTemporaryFolder } from './temporary-folder.ts';

const script = join(import.meta.dirname, '../src/install-dependencies.js');

/** A checkout with a lock file and no installed packages. */
async function makeCheckout() {
  const checkout = join(await makeTemporaryFolder(), 'a check out');
  await mkdir(join(checkout, 'src'), { recursive: true });
  await copyFile(script, join(checkout, 'src/install-dependencies.js'));
  await writeFile(join(checkout, 'package.json'), '{"type":"module"}');
  const lock = (version: string) => {
    const packages = {
      '': { version: '1.0.0' },
      'node_modules/left-pad': { version, integrity: `sha512-${version}` },
      'node_modules/for-another-system': { version: '1.0.0', optional: true },
    };
    return writeFile(join(checkout, 'package-lock.json'), JSON.stringify({ packages }));
  };
  await lock('1.3.0');
  return { checkout, lock };
}

async function install(checkout: string, { env = {}, node = [] as readonly string[] } = {}) {
  const npm = {
    npm_execpath: join(import.meta.dirname, 'npm-cli.js'),
    NPM_CALLS: join(checkout, 'npm-calls'),
  };
  const child = spawn(process.execPath, [...node, join(checkout, 'src/install-dependencies.js')], {
    env: { ...npm, ...env },
    stdio: 'pipe',
  });
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { stdout, stderr, exitCode };
}

async function countCalls(checkout: string): Promise<number> {
  const calls = await readFile(join(checkout, 'npm-calls'), 'utf8').catch(() => '');
  return calls.split('\n').length - 1;
}

test('installs missing packages, prints one line, and keeps stdout for the command that follows', async () => {
  const { checkout } = await makeCheckout();
  expect(await install(checkout)).toEqual({
    stdout: '',
    stderr: 'Installing the npm dependencies\nadded 1 package\n',
    exitCode: 0,
  });
  expect(await readFile(join(checkout, 'npm-calls'), 'utf8')).toMatch(/^ci .*--no-dry-run/);
  expect(await readdir(join(checkout, 'node_modules'))).toContain('left-pad');
  expect(await readdir(join(checkout, '.wealist'))).toEqual([]);
});

test('prints nothing and is quick when everything is installed', async () => {
  const { checkout } = await makeCheckout();
  await install(checkout);
  expect(await install(checkout)).toEqual({ stdout: '', stderr: '', exitCode: 0 });
  expect(await countCalls(checkout)).toBe(1);
});

test('installs again when the lock file has changed', async () => {
  const { checkout, lock } = await makeCheckout();
  await install(checkout);
  await lock('1.4.0');
  expect((await install(checkout)).exitCode).toBe(0);
  expect(await countCalls(checkout)).toBe(2);
  expect(await readFile(join(checkout, 'node_modules/.package-lock.json'), 'utf8')).toContain('1.4.0');
});

test('installs again after an interrupted install', async () => {
  const { checkout } = await makeCheckout();
  await mkdir(join(checkout, 'node_modules/left-pad'), { recursive: true });
  await writeFile(join(checkout, 'node_modules/.package-lock.json'), '{"packages":{');
  await mkdir(join(checkout, '.wealist/install-4194305/node_modules'), { recursive: true });
  expect((await install(checkout)).exitCode).toBe(0);
  expect(await countCalls(checkout)).toBe(1);
  expect(await readdir(join(checkout, '.wealist'))).toEqual([]);
});

test('a failure keeps the previous packages and shows a fix', async () => {
  const { checkout, lock } = await makeCheckout();
  await install(checkout);
  await lock('1.4.0');
  const { stderr, exitCode } = await install(checkout, { env: { NPM_FAILS: '1' } });
  expect(exitCode).toBe(3);
  expect(stderr).toContain(
    '✗ the npm dependencies could not be installed: npm ci ended with exit code 1\n  fix      npm ci\n',
  );
  expect(await readFile(join(checkout, 'node_modules/.package-lock.json'), 'utf8')).toContain('1.3.0');
  expect(await readdir(join(checkout, '.wealist'))).toEqual([]);
});

test('several installs at the same time all succeed and leave one complete installation', async () => {
  const { checkout } = await makeCheckout();
  const runs = await Promise.all(Array.from({ length: 4 }, () => install(checkout)));
  expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 0]);
  expect(await readdir(join(checkout, 'node_modules'))).toEqual(['.package-lock.json', 'left-pad']);
  expect(await readdir(join(checkout, '.wealist'))).toEqual([]);
});

test.each(['18.20.4', '20.18.0', '22.12.0', '23.1.0'])('Node %s is refused in one line', async (version) => {
  const { checkout } = await makeCheckout();
  const pretend = `Object.defineProperty(process,'versions',{value:{...process.versions,node:'${version}'}})`;
  const { stderr, exitCode } = await install(checkout, {
    node: ['--import', `data:text/javascript,${pretend}`],
  });
  expect({ stderr, exitCode }).toEqual({
    stderr: `✗ Node ${version} is not supported; supported are 20.19+, 22.13+ and 24+\n  fix      nvm install 24\n`,
    exitCode: 3,
  });
  expect(await countCalls(checkout)).toBe(0);
});

test('the supported versions are the engines of package.json', () => {
  expect(packageJson.engines.node).toBe('^20.19.0 || ^22.13.0 || >=24');
});
