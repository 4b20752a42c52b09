import { identity } from '../common/identity.ts';
import { callsRoute, peer } from '../common/peer.ts';
import { postgres } from '../common/postgres.ts';
import { redis } from '../common/redis.ts';
import { rowRoutes, rows, rowTable } from '../common/rows.ts';
import { defineService } from '../common/service.ts';
import { joinRoute } from './join-route.ts';

const path = '/api/video/rooms';

export const service = defineService({
  name: 'video-service',
  connect: (settings) => ({
    postgres: postgres(settings, [rowTable('rooms')]),
    redis: redis(settings),
    auth: peer(settings, 'auth-service'),
    user: peer(settings, 'user-service'),
  }),
  routes({ dependencies: { postgres, redis, auth, user }, settings }) {
    const identify = identity(settings);
    const rooms = rows(postgres, 'rooms');
    return [
      ...rowRoutes({ path, rows: rooms, identify }),
      joinRoute({ path: `${path}/:id/join`, rooms, redis, identify, settings }),
      callsRoute('/api/video/calls', [auth, user]),
    ];
  },
});
