import { HttpError } from './http-error.ts';
import type { Request } from './route.ts';
import type { Settings } from './settings.ts';
import { type Claims, TokenError, verifyToken } from './tokens.ts';

/** Minimum secret length for HS512, in bytes. The real auth-service rejects shorter ones. */
export const secretBytes = 64;

/**
 * The claims of the token in the Authorization header, or in `?token=` where a browser cannot set headers (WebSocket,
 * event stream). Undefined without a token: the stand-ins also serve anonymous clients.
 * @throws {HttpError} 401 when the token is invalid.
 */
export type Identify = (request: Request) => Claims | undefined;

/** Verifies tokens with the shared secret, SECRET_KEY or else JWT_SECRET, without calling auth-service. */
export function identity(settings: Settings): Identify {
  const key = settings.optional('SECRET_KEY') === undefined ? 'JWT_SECRET' : 'SECRET_KEY';
  const secret = settings.text(key, { minBytes: secretBytes });
  return ({ message, url }) => {
    const token =
      /^Bearer (.+)$/i.exec(message.headers.authorization ?? '')?.[1] ?? url.searchParams.get('token');
    if (!token) return undefined;
    try {
      const claims = verifyToken(token, secret);
      // Refresh tokens are valid for days and only for auth-service.
      if (claims.use === 'refresh') throw new TokenError('a refresh token is not accepted');
      return claims;
    } catch (error) {
      if (error instanceof TokenError) throw new HttpError(401, `token: ${error.message}`);
      throw error;
    }
  };
}
