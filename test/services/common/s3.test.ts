import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { s3 } from '../../../services/common/s3.ts';
import { readSettings } from '../../../services/common/settings.ts';
import { startFakeS3Server } from '../../fakes/s3-server.ts';

async function connected(env: Readonly<Record<string, string>> = {}) {
  const server = await startFakeS3Server('wealist-files');
  onTestFinished(() => server.stop());
  const settings = readSettings({
    S3_ENDPOINT: server.url,
    S3_BUCKET: 'wealist-files',
    S3_REGION: 'ap-northeast-2',
    S3_ACCESS_KEY: 'key',
    S3_SECRET_KEY: 'secret',
    ...env,
  });
  const client = s3(settings, 'user-service');
  settings.check();
  return { server, client };
}

const soon = () => AbortSignal.timeout(5_000);

test('stores an object and returns it', async () => {
  const { client, server } = await connected();
  await client.put('files/1', new TextEncoder().encode('content'), 'text/plain');
  expect(server.objects.get('files/1')).toBe('content');
  expect(await text((await client.get('files/1')).body)).toBe('content');
  await expect(client.get('files/2')).rejects.toMatchObject({ status: 404 });
});

test('is up only when the bucket is writable', async () => {
  const { client, server } = await connected();
  server.readOnly = true;
  await expect(client.probe(soon())).rejects.toThrow('PUT returned 500: InternalError');
  server.readOnly = false;
  await client.probe(soon());
  expect([...server.objects.keys()]).toEqual(['ready/user-service']);
  await client.probe(soon());
});

test('reports a missing bucket, and a server that does not respond', async () => {
  const { client } = await connected({ S3_BUCKET: 'other' });
  await expect(client.probe(soon())).rejects.toThrow('PUT returned 404: no bucket other');
  const { client: alone, server } = await connected();
  await server.stop();
  await expect(alone.put('files/1', new Uint8Array(1), 'x/y')).rejects.toMatchObject({
    status: 503,
    message: expect.stringContaining('ECONNREFUSED'),
  });
});

test('presigns for the host that the browser uses', async () => {
  const { client, server } = await connected({ S3_PUBLIC_ENDPOINT: 'http://localhost:9000/' });
  expect(await client.presign('PUT', 'files/1')).toMatch(
    /^http:\/\/localhost:9000\/wealist-files\/files\/1\?.*X-Amz-Signature=/,
  );
  const { client: inside } = await connected({ S3_ENDPOINT: server.url });
  expect(await inside.presign('GET', 'files/1')).toContain(`${server.url}/wealist-files/files/1?`);
});
