import { createHmac, timingSafeEqual } from 'node:crypto';

/** Claims of a JWT; times in seconds since 1970. */
export interface Claims {
  readonly sub: string;
  readonly iat: number;
  readonly exp: number;
  readonly [claim: string]: unknown;
}

export type Algorithm = 'HS256' | 'HS512';

/** The reason why a token is rejected. */
export class TokenError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'TokenError';
  }
}

export function signToken(claims: Claims, secret: string, algorithm: Algorithm = 'HS512'): string {
  const content = `${encode({ alg: algorithm, typ: 'JWT' })}.${encode(claims)}`;
  return `${content}.${sign(content, secret, algorithm).toString('base64url')}`;
}

/**
 * Verifies signature and expiry of a token and returns its claims. Only `algorithm` is accepted, independent of the
 * token's header.
 * @param now milliseconds since 1970
 * @throws {TokenError}
 */
export function verifyToken(
  token: string,
  secret: string,
  { algorithm = 'HS512', now = Date.now() }: { readonly algorithm?: Algorithm; readonly now?: number } = {},
): Claims {
  const [header, payload, signature, ...more] = token.split('.');
  if (header === undefined || payload === undefined || signature === undefined || more.length > 0)
    throw new TokenError('not a JWT');
  if (decode(header).alg !== algorithm) throw new TokenError(`not signed with ${algorithm}`);

  const given = Buffer.from(signature, 'base64url');
  const expected = sign(`${header}.${payload}`, secret, algorithm);
  if (given.length !== expected.length || !timingSafeEqual(given, expected))
    throw new TokenError('invalid signature');

  const claims = decode(payload);
  const { sub, iat, exp } = claims;
  if (typeof sub !== 'string' || typeof iat !== 'number' || typeof exp !== 'number')
    throw new TokenError('sub, iat or exp is missing');
  if (exp * 1000 <= now) throw new TokenError('expired');
  return { ...claims, sub, iat, exp };
}

function sign(content: string, secret: string, algorithm: Algorithm): Buffer {
  return createHmac(algorithm === 'HS512' ? 'sha512' : 'sha256', secret)
    .update(content)
    .digest();
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

function decode(part: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    if (typeof value === 'object' && value !== null) return { ...value };
  } catch {
    // Falls through to the same error as for JSON that is not an object.
  }
  throw new TokenError('not a JWT');
}
