import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openStore } from '../../src/images/store/store.ts';
import { ensureTool } from '../../src/steps/ensure-tool.ts';
import { exec } from '../../src/tools/exec.ts';
import { versions } from '../../src/tools/versions.ts';
import { makeUnused } from '../fakes/unused.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const run = { signal: new AbortController().signal, report: () => {} };
const { platform } = process;
const arch = process.arch === 'x64' ? 'amd64' : process.arch;
const key = `helm-${versions.helm}-${platform}-${arch}`;

/** A PATH with a helm, and a cache with the helm that this tool downloads. */
async function makeWorld() {
  const folder = await makeTemporaryFolder();
  const usr = join(folder, 'usr/bin');
  await mkdir(usr, { recursive: true });
  const store = openStore(join(folder, 'cache'));
  await store.putFile(key, (path) => writeProgram(path, versions.helm));
  const { PATH } = process.env;
  process.env.PATH = `${usr}:/bin`;
  onTestFinished(() => {
    process.env.PATH = PATH;
  });
  const refuse = () => {
    throw new Error('nothing is built');
  };
  const bin = join(folder, 'state/bin');
  const step = ensureTool('helm', { exec, store, workshop: refuse, program: refuse, bin });
  const installed = join(usr, 'helm');
  const version = async () => (await exec(join(bin, 'helm'), ['version'])).stdout;
  return { folder, store, installed, step, version };
}

async function writeProgram(path: string, version: string): Promise<void> {
  await writeFile(path, `#!/bin/sh\necho v${version}\n`);
  await chmod(path, 0o755);
}

test('a helm on PATH that fits is used, until it is upgraded in place to one that does not', async () => {
  const { installed, step, version } = await makeWorld();
  await writeProgram(installed, '3.15.2');
  expect(await step.isDone?.(run)).toBe(false);
  await step.apply(run);
  expect(await version()).toBe('v3.15.2');
  expect(await step.isDone?.(run)).toBe(`compatible with ${versions.helm}`);

  // As a package manager replaces it: another file of the same size under the same name.
  await writeProgram(`${installed}.dpkg-new`, '4.15.2');
  await rename(`${installed}.dpkg-new`, installed);
  expect(await step.isDone?.(run)).toBe(false);
  await step.apply(run);
  expect(await version()).toBe(`v${versions.helm}`);
  expect(await step.isDone?.(run)).toBe(`compatible with ${versions.helm}`);
});

test('a helm that was written over is asked again', async () => {
  const { installed, step, version } = await makeWorld();
  await writeProgram(installed, '3.15.2');
  await step.apply(run);
  await writeProgram(installed, '3.15.10');
  expect(await step.isDone?.(run)).toBe(false);
  await step.apply(run);
  expect(await version()).toBe('v3.15.10');
});

test('a helm that is gone is replaced', async () => {
  const { installed, step, version } = await makeWorld();
  await writeProgram(installed, '3.15.2');
  await step.apply(run);
  await rm(installed);
  expect(await step.isDone?.(run)).toBe(false);
  await step.apply(run);
  expect(await version()).toBe(`v${versions.helm}`);
});

test('one from the cache is used by the check alone, which does not change its file', async () => {
  const { folder, store, step } = await makeWorld();
  await step.apply(run);
  await makeUnused(join(folder, 'cache'), `used/${key}`);
  const start = Date.now() - 1_000;
  expect(await step.isDone?.(run)).toBe(`compatible with ${versions.helm}`);
  expect(await store.findLastUse(key)).toBeGreaterThan(start);
  expect(await step.isDone?.(run)).toBe(`compatible with ${versions.helm}`);
});
