import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { findOrMake, withExclusiveCache } from '../../../src/images/store/cache-lock.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

const checkout = join(import.meta.dirname, '../../..');

function makeRun() {
  const lines: string[] = [];
  return { lines, run: { signal: new AbortController().signal, report: (line: string) => lines.push(line) } };
}

test('of two processes that want the same, one makes it', async () => {
  const cache = await makeTemporaryFolder();
  const { run, lines } = makeRun();
  let thing: string | undefined;
  let made = 0;
  const want = () =>
    findOrMake({
      cache,
      key: 'thing',
      run,
      find: async () => thing,
      async make() {
        made += 1;
        await sleep(20);
        thing = 'made';
        return thing;
      },
    });
  expect(await Promise.all([want(), want()])).toEqual(['made', 'made']);
  expect(made).toBe(1);
  expect(lines).toEqual(['waiting: another step is making the same']);
});

test('an existing entry is found without a lock', async () => {
  const cache = await makeTemporaryFolder();
  const { run } = makeRun();
  const found = await withExclusiveCache(cache, () =>
    findOrMake({ cache, key: 'thing', run, find: async () => 'there', make: async () => 'made' }),
  );
  expect(found).toBe('there');
});

test('making waits until the cache is cleared', async () => {
  const cache = await makeTemporaryFolder();
  const { run, lines } = makeRun();
  const order: string[] = [];
  let making: Promise<string> | undefined;
  await withExclusiveCache(cache, async () => {
    making = findOrMake({
      cache,
      key: 'thing',
      run,
      find: async () => undefined,
      async make() {
        order.push('made');
        return 'made';
      },
    });
    await sleep(50);
    order.push('cleared');
  });
  await making;
  expect(order).toEqual(['cleared', 'made']);
  expect(lines).toEqual(['waiting: another step is clearing the cache']);
});

test('the cache is not cleared while any process makes something in it', async () => {
  const cache = await makeTemporaryFolder();
  const maker = spawn(
    process.execPath,
    [
      ...['--import', 'tsx', '--input-type=module', '--eval'],
      `import { findOrMake } from '${checkout}/src/images/store/cache-lock.ts';
       const run = { signal: new AbortController().signal, report() {} };
       const make = () => { console.log('making'); return new Promise((resolve) => setTimeout(resolve, 60_000)); };
       await findOrMake({ cache: process.argv[1], key: 'thing', run, find: async () => undefined, make });`,
      cache,
    ],
    { cwd: checkout, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  onTestFinished(() => {
    maker.kill('SIGKILL');
  });
  await once(maker.stdout, 'data');
  let cleared = false;
  const clear = () =>
    withExclusiveCache(cache, async () => {
      cleared = true;
    });
  await expect(clear()).rejects.toMatchObject({
    message: expect.stringContaining(`make thing (PID ${maker.pid})`),
    exitCode: 10,
  });
  expect(cleared).toBe(false);

  // The lock of a dead process is free.
  maker.kill('SIGKILL');
  await once(maker, 'exit');
  await clear();
  expect(cleared).toBe(true);
});
