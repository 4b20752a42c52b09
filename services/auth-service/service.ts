import { callsRoute, peer } from '../common/peer.ts';
import { redis } from '../common/redis.ts';
import { defineService } from '../common/service.ts';
import { googleRoutes } from './google-routes.ts';
import { loginRoutes } from './login-routes.ts';
import { sessions } from './sessions.ts';

export const service = defineService({
  name: 'auth-service',
  connect: (settings) => ({ redis: redis(settings), user: peer(settings, 'user-service') }),
  routes: ({ dependencies: { redis, user }, settings }) => [
    ...loginRoutes(settings, (lifetime) => sessions(redis, lifetime)),
    ...googleRoutes(settings),
    callsRoute('/api/auth/calls', [user]),
  ],
});
