import { HttpError } from './http-error.ts';

interface Routable {
  readonly method: string;
  readonly path: string;
}

export interface Found<R> {
  readonly route: R;
  readonly params: Readonly<Record<string, string>>;
}

/**
 * Finds the route of a request: literal segments win over parameters, whatever the order of the table.
 * @throws {HttpError} 404 without such a path, 405 when it has other methods, 400 when it is not decodable.
 */
export type Router<R> = (method: string, path: string) => Found<R>;

export function createRouter<R extends Routable>(routes: readonly R[]): Router<R> {
  const table = routes
    .map((route) => ({ route, segments: route.path.split('/').slice(1) }))
    .sort((a, b) => compareKeys(toSortKey(a.segments), toSortKey(b.segments)));

  return (method, path) => {
    const asked = path.split('/').slice(1);
    const allowed = new Set<string>();
    for (const { route, segments } of table) {
      if (!fits(segments, asked)) continue;
      if (route.method === method) return { route, params: toParams(segments, asked) };
      allowed.add(route.method);
    }
    if (allowed.size === 0) throw new HttpError(404, `no route ${path}`);
    const methods = [...allowed].sort().join(', ');
    throw new HttpError(405, `${path} answers only ${methods}`, { allow: methods });
  };
}

const isParameter = (segment: string) => segment.startsWith(':');

/** Sorts a parameter behind every literal in its place. */
const toSortKey = (segments: readonly string[]) => segments.map((s) => (isParameter(s) ? '1' : '0')).join('');
const compareKeys = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

function fits(segments: readonly string[], asked: readonly string[]): boolean {
  return (
    segments.length === asked.length &&
    segments.every((segment, i) => (isParameter(segment) ? asked[i] !== '' : segment === asked[i]))
  );
}

function toParams(segments: readonly string[], asked: readonly string[]): Record<string, string> {
  const pairs = segments.flatMap((segment, i) =>
    isParameter(segment) ? [[segment.slice(1), decode(asked[i] ?? '')] as const] : [],
  );
  return Object.fromEntries(pairs);
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new HttpError(400, `the path has an undecodable part: ${segment}`);
  }
}
