import type { IncomingHttpHeaders } from 'node:http';

/** Headers that let a page of another origin read the reply; none when the origin may not. */
export type Cors = (headers: IncomingHttpHeaders) => Readonly<Record<string, string>>;

/** @param origins `*`, or origins with commas between them; undefined allows none. */
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
