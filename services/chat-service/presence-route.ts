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

/** Notifies the clients of all replicas when a user connects or disconnects. */
export function presenceRoute({ path, redis, identify, log, stopping }: PresenceRouteOptions): SocketRoute {
  function publish(user: string, present: boolean): void {
    redis.publish(channel, JSON.stringify({ user, present })).catch((error: Error) => {
      // An old presence is useless, so it is not sent again after the outage.
      log.warn('presence not published', { user, present, error: error.message });
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
      publish(user, true);
      socket.on('close', () => {
        unsubscribe();
        publish(user, false);
      });
    },
  });
}
