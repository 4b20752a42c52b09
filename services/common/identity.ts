import { HttpError } from './http-error.ts';
import type { Request } from './route.ts';
import type { Settings } from './settings.ts';
import { type Claims, TokenError, verifyToken } from './tokens.ts';

/** Bytes that HS512 needs so that the secret is not its weakest part; the real auth-service refuses less. */
export const secretBytes = 64;

/**
 * Who asks: the claims of the token in the Authorization header, or of `?token=` where a browser cannot set one
 * (WebSocket, event stream). Undefined without a token: the stand-ins serve anonymous callers too.
 * @throws {HttpError} 401 when there is a token and it is not accepted.
 */
export type Identify = (request: Request) => Claims | undefined;

/** Tokens are checked here with the shared secret, SECRET_KEY or else JWT_SECRET, without asking auth-service. */
export function identity(settings: Settings): Identify {
  const key = settings.optional('SECRET_KEY') === undefined ? 'JWT_SECRET' : 'SECRET_KEY';
  const secret = settings.text(key, { minBytes: secretBytes });
  return ({ message, url }) => {
    const token =
      /^Bearer (.+)$/i.exec(message.headers.authorization ?? '')?.[1] ?? url.searchParams.get('token');
    if (!token) return undefined;
    try {
      const claims = verifyToken(token, secret);
      // It lives for days and is for auth-service alone.
      if (claims.use === 'refresh') throw new TokenError('a refresh token');
      return claims;
    } catch (error) {
      if (error instanceof TokenError) throw new HttpError(401, `token: ${error.message}`);
      throw error;
    }
  };
}
