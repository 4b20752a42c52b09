import { createHash, timingSafeEqual } from 'node:crypto';
import { HttpError } from '../common/http-error.ts';
import type { HttpRoute } from '../common/route.ts';
import type { Settings } from '../common/settings.ts';

/** Requires INTERNAL_API_KEY in the header X-Internal-Api-Key; 401 otherwise. */
export function internalKey(settings: Settings): (route: HttpRoute) => HttpRoute {
  const expected = hash(settings.text('INTERNAL_API_KEY'));
  return (route) => ({
    ...route,
    handle(request) {
      const given = request.message.headers['x-internal-api-key'];
      if (typeof given !== 'string' || !timingSafeEqual(hash(given), expected))
        throw new HttpError(401, 'X-Internal-Api-Key is missing or wrong');
      return route.handle(request);
    },
  });
}

/** A hash has the same length for every key, as the constant-time comparison requires. */
const hash = (key: string) => createHash('sha256').update(key).digest();
