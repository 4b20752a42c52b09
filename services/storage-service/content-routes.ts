import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import type { Identify } from '../common/identity.ts';
import { readBody, toId } from '../common/request-body.ts';
import { type HttpRoute, json } from '../common/route.ts';
import type { Row, Rows } from '../common/rows.ts';
import type { S3 } from '../common/s3.ts';

export interface ContentRoutesOptions {
  readonly path: string;
  readonly files: Rows;
  readonly s3: S3;
  readonly identify: Identify;
}

const contentLimit = 16 * 1024 * 1024;

/** Where a file's content is kept; nothing of it is the caller's choice. */
export const toKey = ({ id }: Row) => `files/${id}`;

/** A file's content through this service, for callers that cannot reach S3 themselves. */
export function contentRoutes({ path, files, s3, identify }: ContentRoutesOptions): HttpRoute[] {
  return [
    {
      method: 'PUT',
      path: `${path}/:id/content`,
      async handle(request) {
        identify(request);
        const file = await files.get(toId(request.params.id));
        const body = new Uint8Array(await readBody(request, contentLimit));
        const contentType = request.message.headers['content-type'] ?? 'application/octet-stream';
        await s3.put(toKey(file), body, contentType);
        return json({ id: file.id, bytes: body.length });
      },
    },
    {
      method: 'GET',
      path: `${path}/:id/content`,
      async handle({ params }) {
        const { contentType, body } = await s3.get(toKey(await files.get(toId(params.id))));
        return {
          // Somebody else's content must not run as a page of ours.
          headers: { 'content-type': contentType, 'content-security-policy': 'sandbox' },
          body: Readable.fromWeb(body as ReadableStream),
        };
      },
    },
  ];
}
