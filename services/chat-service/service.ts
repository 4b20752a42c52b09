import { identity } from '../common/identity.ts';
import { callsRoute, peer } from '../common/peer.ts';
import { postgres } from '../common/postgres.ts';
import { redis } from '../common/redis.ts';
import { rowRoutes, rows, rowTable } from '../common/rows.ts';
import { defineService } from '../common/service.ts';
import { messageRoutes } from './message-routes.ts';
import { presenceRoute } from './presence-route.ts';

const path = '/api/chats';

export const service = defineService({
  name: 'chat-service',
  connect: (settings) => ({
    postgres: postgres(settings, [rowTable('chats'), rowTable('messages')]),
    redis: redis(settings),
    auth: peer(settings, 'auth-service'),
    user: peer(settings, 'user-service'),
  }),
  routes({ dependencies: { postgres, redis, auth, user }, settings, log, stopping }) {
    const identify = identity(settings);
    return [
      ...rowRoutes({ path, rows: rows(postgres, 'chats'), identify }),
      ...messageRoutes({ path, messages: rows(postgres, 'messages'), redis, identify, log, stopping }),
      presenceRoute({ path: `${path}/ws/presence`, redis, identify, log, stopping }),
      callsRoute(`${path}/calls`, [auth, user]),
    ];
  },
});
