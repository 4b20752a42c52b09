import { identity } from '../common/identity.ts';
import { callsRoute, peer } from '../common/peer.ts';
import { postgres } from '../common/postgres.ts';
import { rowRoutes, rows, rowTable } from '../common/rows.ts';
import { s3 } from '../common/s3.ts';
import { defineService } from '../common/service.ts';
import { contentRoutes, toKey } from './content-routes.ts';

const path = '/api/storage/files';

export const service = defineService({
  name: 'storage-service',
  connect: (settings) => ({
    postgres: postgres(settings, [rowTable('files')]),
    s3: s3(settings, 'storage-service'),
    auth: peer(settings, 'auth-service'),
    user: peer(settings, 'user-service'),
  }),
  routes({ dependencies: { postgres, s3, auth, user }, settings }) {
    const identify = identity(settings);
    const files = rows(postgres, 'files');
    return [
      // A file's text is its name. The browser exchanges its content with S3 directly.
      ...rowRoutes({
        path,
        rows: files,
        identify,
        show: async (file) => ({
          ...file,
          upload: await s3.presign('PUT', toKey(file)),
          download: await s3.presign('GET', toKey(file)),
        }),
      }),
      ...contentRoutes({ path, files, s3, identify }),
      callsRoute('/api/storage/calls', [auth, user]),
    ];
  },
});
