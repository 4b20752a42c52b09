import { HttpError } from './http-error.ts';

interface Routable {
  readonly method: string;
  readonly path: string;
}

export interface RouteMatch<R> {
  readonly route: R;
  readonly params: Readonly<Record<string, string>>;
}

/**
 * Finds the route of a request. Literal segments have precedence over parameters, independent of the table's order.
 * @throws {HttpError} 404 for an unknown path, 405 for an unsupported method, 400 when the path cannot be decoded.
 */
export type Router<R> = (method: string, path: string) => RouteMatch<R>;

export function createRouter<R extends Routable>(routes: readonly R[]): Router<R> {
  const table = routes
    .map((route) => ({ route, segments: route.path.split('/').slice(1) }))
    .sort((a, b) => compareKeys(toSortKey(a.segments), toSortKey(b.segments)));

  return (method, path) => {
    const requested = path.split('/').slice(1);
    const allowed = new Set<string>();
    for (const { route, segments } of table) {
      if (!matches(segments, requested)) continue;
      if (route.method === method) return { route, params: toParams(segments, requested) };
      allowed.add(route.method);
    }
    if (allowed.size === 0) throw new HttpError(404, `route ${path} not found`);
    const methods = [...allowed].sort().join(', ');
    throw new HttpError(405, `${path} supports only ${methods}`, { allow: methods });
  };
}

const isParameter = (segment: string) => segment.startsWith(':');

/** Sorts parameters after literals. */
const toSortKey = (segments: readonly string[]) => segments.map((s) => (isParameter(s) ? '1' : '0')).join('');
const compareKeys = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

function matches(segments: readonly string[], requested: readonly string[]): boolean {
  return (
    segments.length === requested.length &&
    segments.every((segment, i) => (isParameter(segment) ? requested[i] !== '' : segment === requested[i]))
  );
}

function toParams(segments: readonly string[], requested: readonly string[]): Record<string, string> {
  const pairs = segments.flatMap((segment, i) =>
    isParameter(segment) ? [[segment.slice(1), decode(requested[i] ?? '')] as const] : [],
  );
  return Object.fromEntries(pairs);
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new HttpError(400, `invalid percent-encoding in the path: ${segment}`);
  }
}
