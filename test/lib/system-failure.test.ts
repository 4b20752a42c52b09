import { readFile, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { toSystemFailure, writeTo } from '../../src/lib/system-failure.ts';

test('a full disk is a failure of the machine, with its place and the way out', async () => {
  const error = await writeFile('/dev/full', 'x').catch((error: unknown) => error);
  // macOS has no such device.
  if (process.platform !== 'linux') return;
  expect(toSystemFailure(error)).toMatchObject({
    message: expect.stringContaining('no space left on device'),
    ...{ hint: 'npm run images -- prune', exitCode: 3, cause: error },
  });
});

test('a failed write names its file, which Node does not, and with it the disk', async () => {
  if (process.platform !== 'linux') return;
  const write = writeTo('/data/snapshots/x.dump', () => writeFile('/dev/full', 'x'));
  expect(toSystemFailure(await write.catch((error: unknown) => error))).toMatchObject({
    message: 'write /data/snapshots/x.dump: no space left on device',
    hint: 'npm run images -- prune, or make room on the disk of /data/snapshots',
  });
});

test('an error that names its own file keeps it', async () => {
  const read = writeTo('/data/x', () => readFile('/nowhere'));
  await expect(read).rejects.toMatchObject({ path: '/nowhere' });
});

test('anything else stays what it is', async () => {
  const missing = await readFile('/nowhere').catch((error: unknown) => error);
  for (const error of [missing, new TypeError('x is undefined'), 'text', undefined]) {
    expect(toSystemFailure(error)).toBeUndefined();
  }
});
