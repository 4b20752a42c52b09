import type { Identify } from '../common/identity.ts';
import type { Log } from '../common/log.ts';
import type { Redis } from '../common/redis.ts';
import type { SocketRoute } from '../common/route.ts';
import { sendJson, socketRoute } from '../common/sockets.ts';

export interface PresenceRouteOptions {
  readonly path: string;
  readonly redis: Redis;
  readonly identify: Identify;
  readonly log: Log;
  readonly stopping: AbortSignal;
}

const channel = 'chat:presence';

/** Tells everybody who listens, at any replica, who comes and who goes. */
export function presenceRoute({ path, redis, identify, log, stopping }: PresenceRouteOptions): SocketRoute {
  function tell(user: string, present: boolean): void {
    redis.publish(channel, JSON.stringify({ user, present })).catch((error: Error) => {
      // Presence is worth nothing later: it is not kept for after the outage.
      log.warn('presence not told', { user, present, error: error.message });
    });
  }

  return socketRoute({
    path,
    stopping,
    authorize: identify,
    open(socket, request) {
      const user = identify(request)?.sub ?? 'anonymous';
      const unsubscribe = redis.subscribe(channel, (message) =>
        sendJson(socket, { type: 'presence', ...JSON.parse(message) }),
      );
      tell(user, true);
      socket.on('close', () => {
        unsubscribe();
        tell(user, false);
      });
    },
  });
}
