import { type HttpRoute, json } from '../common/route.ts';
import type { Settings } from '../common/settings.ts';

/** The routes of the Google login, which a stand-in does not support. The error names the reason. */
export function googleRoutes(settings: Settings): HttpRoute[] {
  const ids = [settings.text('GOOGLE_CLIENT_ID'), settings.text('GOOGLE_CLIENT_SECRET')];
  const error = ids.some((id) => id.startsWith('placeholder-'))
    ? 'login disabled: GOOGLE_CLIENT_ID or GOOGLE_CLIENT_SECRET is a placeholder'
    : 'login disabled: this is the stand-in; logging in with Google needs the real auth-service';
  const handle = () => json({ error, instead: 'POST /api/auth/login {"name": "…"}' }, 503);
  return [
    { method: 'GET', path: '/oauth2/authorization/google', handle },
    { method: 'GET', path: '/oauth2/callback/google', handle },
  ];
}
