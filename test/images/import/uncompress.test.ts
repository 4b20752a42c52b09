import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { uncompress } from '../../../src/images/import/uncompress.ts';
import { toZstd } from '../../fakes/zstd.ts';

const content = Buffer.concat([randomBytes(300_000), Buffer.alloc(300_000)]);
const frames = [toZstd(content.subarray(0, 200_000)), toZstd(content.subarray(200_000))];

/** What arrives from a socket: chunks of any size. */
async function* chunk(whole: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < whole.length; at += 1_000) yield whole.subarray(at, at + 1_000);
}

test.each([
  ['nothing', content],
  ['gzip', gzipSync(content)],
  ['zstd', toZstd(content)],
  ['zstd in several frames', Buffer.concat(frames)],
])('what is compressed by %s', async (_, stored) => {
  expect((await buffer(uncompress(chunk(stored)))).equals(content)).toBe(true);
});

test.each([
  ['gzip', gzipSync(content)],
  ['zstd', toZstd(content)],
])('what is cut off is an error: %s', async (_, stored) => {
  await expect(buffer(uncompress(chunk(stored.subarray(0, -12))))).rejects.toThrow();
});
