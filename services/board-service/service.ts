import { identity } from '../common/identity.ts';
import { callsRoute, peer } from '../common/peer.ts';
import { postgres } from '../common/postgres.ts';
import { redis } from '../common/redis.ts';
import { toId } from '../common/request-body.ts';
import { json } from '../common/route.ts';
import { rowRoutes, rows, rowTable } from '../common/rows.ts';
import { s3 } from '../common/s3.ts';
import { defineService } from '../common/service.ts';
import { sendJson, socketRoute } from '../common/sockets.ts';

/** The Redis channel for the boards of a project, shared by all replicas. */
const toChannel = (project: number) => `board:project:${project}`;

export const service = defineService({
  name: 'board-service',
  connect: (settings) => ({
    postgres: postgres(settings, [rowTable('boards')]),
    redis: redis(settings),
    s3: s3(settings, 'board-service'),
    auth: peer(settings, 'auth-service'),
    user: peer(settings, 'user-service'),
  }),
  routes({ dependencies: { postgres, redis, s3, auth, user }, settings, stopping }) {
    const identify = identity(settings);
    const boards = rows(postgres, 'boards');
    return [
      // A board's parent is its project.
      ...rowRoutes({
        path: '/api/boards',
        rows: boards,
        identify,
        async onAdded(board) {
          if (board.parent !== null) await redis.publish(toChannel(board.parent), JSON.stringify(board));
        },
      }),
      {
        method: 'GET',
        path: '/api/boards/:id/attachment',
        async handle({ params }) {
          const key = `boards/${(await boards.get(toId(params.id))).id}`;
          return json({ upload: await s3.presign('PUT', key), download: await s3.presign('GET', key) });
        },
      },
      callsRoute('/api/boards/calls', [auth, user]),
      socketRoute({
        path: '/ws/project/:id',
        stopping,
        authorize(request) {
          identify(request);
          toId(request.params.id);
        },
        open(socket, { params }) {
          const project = toId(params.id);
          const unsubscribe = redis.subscribe(toChannel(project), (message) =>
            sendJson(socket, { type: 'board', board: JSON.parse(message) }),
          );
          socket.on('close', unsubscribe);
          sendJson(socket, { type: 'joined', project });
        },
      }),
    ];
  },
});
