import { Buffer } from 'node:buffer';
import { expect, test } from 'vitest';
import { makeCanary } from '../e2e/canary.ts';

const value = 'a/b+"c"\\d é%x';
const canary = makeCanary({ PASSWORD: value, OTHER: '0123456789abcdef' });
const text = JSON.stringify({ value });

test.each([
  ['plain', `psql ${value} -c`],
  ['percent-encoded', `postgres://u:${encodeURIComponent(value)}@db`],
  ['in JSON', text],
  ['in JSON within JSON', JSON.stringify({ text })],
  ['in base64', Buffer.from(value).toString('base64')],
  ['in base64 behind one byte', Buffer.from(`:${value}:`).toString('base64')],
  ['in base64 behind two bytes', Buffer.from(`u:${value}!`).toString('base64')],
  ['in base64 for addresses', Buffer.from(`user:${value}`).toString('base64url')],
  ['in hexadecimal', Buffer.from(value).toString('hex')],
])('a secret is found %s', (_, where) => {
  expect(canary.findIn(where)).toBe('PASSWORD');
});

test('other texts hold none', () => {
  expect(canary.findIn('a/b+ 0123456789abcde')).toBeUndefined();
  expect(canary.findIn(Buffer.from('something else').toString('base64'))).toBeUndefined();
});
