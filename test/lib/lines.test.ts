import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { readLines } from '../../src/lib/lines.ts';

async function read(chunks: readonly (string | Buffer)[], longest?: number): Promise<readonly string[]> {
  const stream = Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
  const lines: string[] = [];
  for await (const some of readLines(stream, longest === undefined ? {} : { longest })) lines.push(...some);
  return lines;
}

test('lines, wherever the chunks end', async () => {
  expect(await read(['a\nb', 'c\n\nd', '', 'e'])).toEqual(['a', 'bc', '', 'de']);
  expect(await read(['a\n'])).toEqual(['a']);
  expect(await read([])).toEqual([]);
});

test('a character in two chunks stays whole', async () => {
  const text = Buffer.from('ä€\n');
  expect(await read([...text].map((byte) => Buffer.from([byte])))).toEqual(['ä€']);
});

test('a line without an end is cut and does not grow', async () => {
  expect(await read(['123', '456', '789\nnext\n'], 5)).toEqual(['12345', 'next']);
  expect(await read(['12345678\n'], 5)).toEqual(['12345']);
});
