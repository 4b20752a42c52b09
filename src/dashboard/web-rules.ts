import type { IncomingMessage } from 'node:http';

/** Why a request is refused, as an HTTP status. */
export type Refusal = 403 | 405 | 421;

/**
 * Checks that a request names this server, and that no other site's page has sent it. A name that an attacker's DNS
 * server lets point to 127.0.0.1 is another `Host`. A browser sends `Origin` with each upgrade.
 */
export function findRefusal(
  { headers, method = '' }: Pick<IncomingMessage, 'headers' | 'method'>,
  port: number,
  { isUpgrade = false }: { readonly isUpgrade?: boolean } = {},
): Refusal | undefined {
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
  if (!hosts.includes(headers.host ?? '')) return 421;
  const { origin } = headers;
  const isOwn = hosts.some((host) => origin === `http://${host}`);
  if (origin === undefined ? isUpgrade : !isOwn) return 403;
  return ['GET', 'HEAD'].includes(method) ? undefined : 405;
}

/** Headers of every response. `connect-src` names the WebSocket, which some browsers do not count as 'self'. */
export function toHeaders(port: number): Readonly<Record<string, string>> {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "worker-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    `connect-src 'self' ws://127.0.0.1:${port} ws://localhost:${port}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    'content-security-policy': policy.join('; '),
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=()',
    // The next program on this port, such as the dashboard of another checkout, has other files of the same names.
    'cache-control': 'no-store',
  };
}
