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

const maxContentBytes = 16 * 1024 * 1024;

/** The object key of a file's content. The client cannot influence it. */
export const toKey = ({ id }: Row) => `files/${id}`;

/** Routes for a file's content, for clients that cannot reach S3 directly. */
export function contentRoutes({ path, files, s3, identify }: ContentRoutesOptions): HttpRoute[] {
  return [
    {
      method: 'PUT',
      path: `${path}/:id/content`,
      async handle(request) {
        identify(request);
        const file = await files.get(toId(request.params.id));
        const body = new Uint8Array(await readBody(request, maxContentBytes));
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
          // Uploaded content must not run as a page of this origin.
          headers: { 'content-type': contentType, 'content-security-policy': 'sandbox' },
          body: Readable.fromWeb(body as ReadableStream),
        };
      },
    },
  ];
}
