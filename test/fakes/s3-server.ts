import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An S3 server in memory with one bucket. It accepts any signature. */
export interface FakeS3Server {
  readonly url: string;
  readonly objects: Map<string, string>;
  /** While true, every write fails with 500, like on a server with a read-only folder. */
  readOnly: boolean;
  stop(): Promise<void>;
}

export async function startFakeS3Server(bucket: string): Promise<FakeS3Server> {
  const objects = new Map<string, string>();
  const server = createServer(async (request, response) => {
    const [, asked, ...rest] = new URL(request.url ?? '/', 'http://s3').pathname.split('/');
    const key = rest.join('/');
    let body = '';
    for await (const chunk of request) body += chunk;
    const reply = (status: number, text = '') => response.writeHead(status).end(text);
    if (asked !== bucket) return reply(404, '<Error><Code>NoSuchBucket</Code></Error>');
    if (request.method === 'PUT' && fake.readOnly)
      return reply(500, '<Error><Code>InternalError</Code></Error>');
    if (request.method === 'PUT') objects.set(key, body);
    if (request.method === 'PUT' || key === '') return reply(200);
    const found = objects.get(key);
    return found === undefined ? reply(404, '<Error><Code>NoSuchKey</Code></Error>') : reply(200, found);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const fake: FakeS3Server = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    objects,
    readOnly: false,
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
  return fake;
}
