import { eventStream } from '../common/event-stream.ts';
import type { Identify } from '../common/identity.ts';
import type { Redis } from '../common/redis.ts';
import type { HttpRoute } from '../common/route.ts';

export interface StreamRouteOptions {
  readonly path: string;
  readonly channel: string;
  readonly redis: Redis;
  readonly identify: Identify;
  readonly stopping: AbortSignal;
}

/** Sends each new notification as a server-sent event, from all replicas. */
export function streamRoute({ path, channel, redis, identify, stopping }: StreamRouteOptions): HttpRoute {
  return {
    method: 'GET',
    path,
    handle(request) {
      identify(request);
      const unsubscribe = redis.subscribe(channel, (message) =>
        stream.send('notification', JSON.parse(message)),
      );
      const stream = eventStream(request, stopping, unsubscribe);
      return stream.reply;
    },
  };
}
