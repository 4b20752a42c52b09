import type { IncomingHttpHeaders } from 'node:http';

/** CORS headers for a request; none when its origin is not allowed. */
export type Cors = (headers: IncomingHttpHeaders) => Readonly<Record<string, string>>;

/** @param origins `*`, or comma-separated origins; undefined allows none. */
export function createCors(origins: string | undefined): Cors {
  const allowed = new Set((origins ?? '').split(',').map((origin) => origin.trim()));
  return ({ origin }) => {
    if (origin === undefined || !(allowed.has('*') || allowed.has(origin))) return {};
    return {
      'access-control-allow-origin': allowed.has('*') ? '*' : origin,
      'access-control-allow-headers': 'authorization, content-type',
      'access-control-allow-methods': 'GET, POST, PUT, DELETE',
      'access-control-max-age': '600',
      vary: 'origin',
    };
  };
}
