import { identity } from '../common/identity.ts';
import { callsRoute, peer } from '../common/peer.ts';
import { postgres } from '../common/postgres.ts';
import { toId } from '../common/request-body.ts';
import { json } from '../common/route.ts';
import { rowRoutes, rows, rowTable } from '../common/rows.ts';
import { s3 } from '../common/s3.ts';
import { defineService } from '../common/service.ts';

export const service = defineService({
  name: 'user-service',
  connect: (settings) => ({
    postgres: postgres(settings, [rowTable('users'), rowTable('workspaces')]),
    s3: s3(settings, 'user-service'),
    auth: peer(settings, 'auth-service'),
  }),
  routes({ dependencies: { postgres, s3, auth }, settings }) {
    const identify = identity(settings);
    const users = rows(postgres, 'users');
    return [
      ...rowRoutes({ path: '/api/users', rows: users, identify }),
      ...rowRoutes({ path: '/api/workspaces', rows: rows(postgres, 'workspaces'), identify }),
      {
        method: 'GET',
        path: '/api/profiles/:id',
        async handle({ params }) {
          const user = await users.get(toId(params.id));
          const picture = `profiles/${user.id}`;
          return json({
            ...user,
            picture: { upload: await s3.presign('PUT', picture), download: await s3.presign('GET', picture) },
          });
        },
      },
      callsRoute('/api/users/calls', [auth]),
    ];
  },
});
