import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { signToken, TokenError, verifyToken } from '../../../services/common/tokens.ts';

const secret = 's'.repeat(64);
const now = Date.parse('2026-01-01T00:00:00Z');
const claims = { sub: 'ada', iat: now / 1000, exp: now / 1000 + 60 };

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
function forge(header: object, payload: object, key = secret, hash = 'sha512'): string {
  const content = `${encode(header)}.${encode(payload)}`;
  return `${content}.${createHmac(hash, key).update(content).digest('base64url')}`;
}

test('the claims of a signed token are returned', () => {
  expect(verifyToken(signToken({ ...claims, use: 'access' }, secret), secret, { now })).toEqual({
    ...claims,
    use: 'access',
  });
});

test('the secret is its raw bytes, and the header names HS512, as the real services expect', () => {
  expect(signToken(claims, secret)).toBe(forge({ alg: 'HS512', typ: 'JWT' }, claims));
});

test.each([
  ['another secret', forge({ alg: 'HS512' }, claims, 'another'), /signature/],
  ['another algorithm', forge({ alg: 'HS256' }, claims, secret, 'sha256'), /HS512/],
  ['no algorithm', `${encode({ alg: 'none' })}.${encode(claims)}.`, /HS512/],
  [
    'a changed payload',
    signToken(claims, secret).replace(/\.[^.]+\./, `.${encode({ ...claims, sub: 'eve' })}.`),
    /signature/,
  ],
  ['a cut signature', signToken(claims, secret).slice(0, -4), /signature/],
  ['no expiry', forge({ alg: 'HS512' }, { sub: 'ada', iat: 1 }), /exp/],
  ['two parts', 'a.b', /not a JWT/],
  ['no JSON', 'a.b.c', /not a JWT/],
  ['nothing', '', /not a JWT/],
])('rejects %s', (_name, token, reason) => {
  expect(() => verifyToken(token, secret, { now })).toThrow(TokenError);
  expect(() => verifyToken(token, secret, { now })).toThrow(reason);
});

test('rejects a token from the second of its expiry on', () => {
  const token = signToken(claims, secret);
  expect(verifyToken(token, secret, { now: claims.exp * 1000 - 1 }).sub).toBe('ada');
  expect(() => verifyToken(token, secret, { now: claims.exp * 1000 })).toThrow('expired');
});

test("signs like jwt.io's example for HS512", () => {
  const example = { sub: '1234567890', name: 'John Doe', admin: true, iat: 1_516_239_022 };
  expect(signToken(example as never, 'your-512-bit-secret').split('.')[2]).toBe(
    'VFb0qJ1LRg_4ujbZoRMXnVkUgiuKq5KxWqNdbKq_G9Vvz-S1zZa9LPxtHWKa64zDl2ofkT8F6jBt_K4riU-fPg',
  );
});

test('signs HS256 for LiveKit', () => {
  expect(signToken(claims, secret, 'HS256')).toBe(
    forge({ alg: 'HS256', typ: 'JWT' }, claims, secret, 'sha256'),
  );
});
