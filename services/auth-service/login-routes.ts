import { HttpError } from '../common/http-error.ts';
import { identity, secretBytes } from '../common/identity.ts';
import { readJson, toText } from '../common/request-body.ts';
import { type HttpRoute, json, type Request } from '../common/route.ts';
import type { Settings } from '../common/settings.ts';
import { type Claims, signToken, TokenError, verifyToken } from '../common/tokens.ts';
import type { Sessions } from './sessions.ts';

const path = '/api/auth';

/**
 * Login without a password, only where ENV is `local`. Issues an access token (HS512, accepted by every service) and a
 * refresh token, whose session is stored in Redis.
 */
export function loginRoutes(settings: Settings, openSessions: (lifetime: number) => Sessions): HttpRoute[] {
  const secret = settings.text('JWT_SECRET', { minBytes: secretBytes });
  const accessLifetime = settings.count('JWT_ACCESS_TOKEN_EXPIRATION_MS', 1_800_000);
  const refreshLifetime = settings.count('JWT_REFRESH_TOKEN_EXPIRATION_MS', 604_800_000);
  const isLocal = settings.optional('ENV') === 'local';
  const identify = identity(settings);
  const sessions = openSessions(refreshLifetime);

  function issue(user: string, session: string) {
    const iat = Math.floor(Date.now() / 1000);
    const sign = (lifetime: number, use: string) =>
      signToken({ sub: user, iat, exp: iat + Math.ceil(lifetime / 1000), sid: session, use }, secret);
    return json({
      accessToken: sign(accessLifetime, 'access'),
      refreshToken: sign(refreshLifetime, 'refresh'),
      expiresInSeconds: Math.ceil(accessLifetime / 1000),
    });
  }

  async function readRefreshToken(request: Request): Promise<Claims & { readonly sid: string }> {
    const { refreshToken } = await readJson(request);
    if (typeof refreshToken !== 'string') throw new HttpError(400, '"refreshToken" is not a string');
    try {
      const claims = verifyToken(refreshToken, secret);
      if (claims.use === 'refresh' && typeof claims.sid === 'string') return { ...claims, sid: claims.sid };
    } catch (error) {
      if (!(error instanceof TokenError)) throw error;
      throw new HttpError(401, `refresh token: ${error.message}`);
    }
    throw new HttpError(401, 'refresh token: the token has another use');
  }

  return [
    {
      method: 'POST',
      path: `${path}/login`,
      async handle(request) {
        if (!isLocal) throw new HttpError(403, 'login without a password exists only where ENV is local');
        const user = toText(await readJson(request), 'name');
        return issue(user, await sessions.open(user));
      },
    },
    {
      method: 'POST',
      path: `${path}/refresh`,
      async handle(request) {
        const { sid } = await readRefreshToken(request);
        const user = await sessions.find(sid);
        // A refresh token can be used once; `close` is true only for the first request.
        if (user === undefined || !(await sessions.close(sid)))
          throw new HttpError(401, 'the session has ended');
        return issue(user, await sessions.open(user));
      },
    },
    {
      method: 'POST',
      path: `${path}/logout`,
      async handle(request) {
        const { sid } = await readRefreshToken(request);
        await sessions.close(sid);
        return { status: 204 };
      },
    },
    {
      method: 'GET',
      path: `${path}/me`,
      handle(request) {
        const claims = identify(request);
        if (claims === undefined) throw new HttpError(401, 'no token', { 'www-authenticate': 'Bearer' });
        return json({ user: claims.sub, issuedAt: toTime(claims.iat), expiresAt: toTime(claims.exp) });
      },
    },
    {
      method: 'GET',
      path: `${path}/sessions`,
      async handle() {
        return json({ open: await sessions.count() });
      },
    },
  ];
}

const toTime = (seconds: number) => new Date(seconds * 1000).toISOString();
