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

test('an endless line is cut, uses limited memory, and says by how much', async () => {
  expect(await read(['123', '456', '789\nnext\n'], 5)).toEqual(['12345 … 4 more characters', 'next']);
  expect(await read(['a\n1234', '5678\nb\n'], 5)).toEqual(['a', '12345 … 3 more characters', 'b']);
  expect(await read(['12345678', '9'], 5)).toEqual(['12345 … 4 more characters']);
  expect(await read(['12345\n'], 5)).toEqual(['12345']);
});
