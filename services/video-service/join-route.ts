import { HttpError } from '../common/http-error.ts';
import type { Identify } from '../common/identity.ts';
import type { Redis } from '../common/redis.ts';
import { toId } from '../common/request-body.ts';
import { type HttpRoute, json } from '../common/route.ts';
import type { Rows } from '../common/rows.ts';
import type { Settings } from '../common/settings.ts';
import { signToken } from '../common/tokens.ts';

export interface JoinRouteOptions {
  readonly path: string;
  readonly rooms: Rows;
  readonly redis: Redis;
  readonly identify: Identify;
  readonly settings: Settings;
}

/** Lifetime of a participant's token, in seconds. */
const lifetime = 3_600;

/**
 * Counts the participant in Redis and issues a LiveKit access token for the room: HS256, signed with LiveKit's secret.
 */
export function joinRoute({ path, rooms, redis, identify, settings }: JoinRouteOptions): HttpRoute {
  const key = settings.optional('LIVEKIT_API_KEY');
  const secret = settings.optional('LIVEKIT_API_SECRET');
  const url = settings.optional('LIVEKIT_WS_URL');

  return {
    method: 'POST',
    path,
    async handle(request) {
      const room = await rooms.get(toId(request.params.id));
      if (!key || !secret || !url)
        throw new HttpError(503, 'LIVEKIT_API_KEY, LIVEKIT_API_SECRET or LIVEKIT_WS_URL is not set');
      const sub = identify(request)?.sub ?? 'anonymous';
      const participants = await redis.use(async (client) => {
        const members = `video:room:${room.id}`;
        await client.sAdd(members, sub);
        await client.expire(members, lifetime);
        return await client.sCard(members);
      });
      const iat = Math.floor(Date.now() / 1000);
      const grant = { room: String(room.id), roomJoin: true };
      const claims = { iss: key, sub, iat, nbf: iat, exp: iat + lifetime, video: grant };
      return json({ url, token: signToken(claims, secret, 'HS256'), participants });
    },
  };
}
