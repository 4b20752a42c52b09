import { identity } from '../common/identity.ts';
import { callsRoute, peer } from '../common/peer.ts';
import { postgres } from '../common/postgres.ts';
import { redis } from '../common/redis.ts';
import { rowRoutes, rows, rowTable } from '../common/rows.ts';
import { defineService } from '../common/service.ts';
import { internalKey } from './internal-key.ts';
import { streamRoute } from './stream-route.ts';

const path = '/api/notifications';
const channel = 'noti:all';

export const service = defineService({
  name: 'noti-service',
  connect: (settings) => ({
    postgres: postgres(settings, [rowTable('notifications')]),
    redis: redis(settings),
    auth: peer(settings, 'auth-service'),
  }),
  routes({ dependencies: { postgres, redis, auth }, settings, stopping }) {
    const identify = identity(settings);
    const requireKey = internalKey(settings);
    const notifications = {
      rows: rows(postgres, 'notifications'),
      identify,
      onAdded: (row: object) => redis.publish(channel, JSON.stringify(row)),
    };
    return [
      ...rowRoutes({ path, ...notifications }),
      // For other services only: the ingress does not route this path.
      ...rowRoutes({ path: '/api/internal/notifications', ...notifications }).map(requireKey),
      streamRoute({ path: `${path}/stream`, channel, redis, identify, stopping }),
      callsRoute(`${path}/calls`, [auth]),
    ];
  },
});
