import { join } from 'node:path';
import { callsRoute, peer } from '../common/peer.ts';
import { defineService } from '../common/service.ts';
import { pageRoutes } from './page-routes.ts';

export const service = defineService({
  name: 'frontend',
  // The page is at /.
  descriptionPath: '/service.json',
  connect: (settings) => ({
    auth: peer(settings, 'auth-service'),
    user: peer(settings, 'user-service'),
    board: peer(settings, 'board-service'),
    chat: peer(settings, 'chat-service'),
    noti: peer(settings, 'noti-service'),
    storage: peer(settings, 'storage-service'),
    video: peer(settings, 'video-service'),
  }),
  routes: ({ dependencies, settings }) => [
    ...pageRoutes(join(import.meta.dirname, 'public'), settings),
    callsRoute('/calls', Object.values(dependencies)),
  ],
});
