import { AwsClient } from 'aws4fetch';
import { type Dependency, usingDependency } from './dependency.ts';
import { HttpError } from './http-error.ts';
import { presign } from './presign.ts';
import type { Settings } from './settings.ts';

export interface StoredObject {
  readonly contentType: string;
  readonly body: ReadableStream<Uint8Array>;
}

export interface S3 extends Dependency {
  /** @throws {HttpError} 503 when the server does not store it. */
  put(key: string, body: Uint8Array<ArrayBuffer>, contentType: string): Promise<void>;
  /** @throws {HttpError} 404 when the object does not exist, 503 when the server is unavailable. */
  get(key: string): Promise<StoredObject>;
  /** A URL with which a browser can put or get this object for 15 minutes. */
  presign(method: 'GET' | 'PUT', key: string): Promise<string>;
}

/**
 * The bucket S3_BUCKET at S3_ENDPOINT. Presigned URLs use S3_PUBLIC_ENDPOINT, because the signature covers the host
 * that the browser uses.
 */
export function s3(settings: Settings, service: string): S3 {
  const endpoint = settings.url('S3_ENDPOINT');
  const publicEndpoint =
    settings.optional('S3_PUBLIC_ENDPOINT') === undefined ? endpoint : settings.url('S3_PUBLIC_ENDPOINT');
  const bucket = settings.text('S3_BUCKET');
  const credentials = {
    accessKeyId: settings.text('S3_ACCESS_KEY'),
    secretAccessKey: settings.text('S3_SECRET_KEY'),
    region: settings.text('S3_REGION'),
  };
  let client: AwsClient | undefined;
  let canWrite = false;

  const send = (path: string, init: RequestInit & { readonly method: string }) => {
    client ??= new AwsClient({ ...credentials, service: 's3', retries: 0 });
    return client.fetch(`${endpoint}/${bucket}${path}`, init);
  };

  async function sendOk(path: string, init: RequestInit & { readonly method: string }): Promise<Response> {
    const response = await send(path, init);
    if (response.ok) return response;
    throw new Error(`${init.method} returned ${response.status}${explain(await response.text(), bucket)}`);
  }

  return {
    name: 's3',
    kind: 'store',
    async put(key, body, contentType) {
      const headers = { 'content-type': contentType };
      await usingDependency('s3', () => sendOk(`/${key}`, { method: 'PUT', body, headers }));
    },
    async get(key) {
      const response = await usingDependency('s3', () => send(`/${key}`, { method: 'GET' }));
      if (response.ok && response.body !== null) {
        const contentType = response.headers.get('content-type') ?? 'application/octet-stream';
        return { contentType, body: response.body };
      }
      await response.body?.cancel();
      if (response.status === 404) throw new HttpError(404, `object ${key} not found`);
      throw new HttpError(503, `s3 is unavailable: GET returned ${response.status}`);
    },
    presign: (method, key) => presign({ method, url: `${publicEndpoint}/${bucket}/${key}`, ...credentials }),
    async probe(signal) {
      // Only a write detects a server whose folder is read-only.
      const write = !canWrite;
      canWrite = false;
      if (write) await sendOk(`/ready/${service}`, { method: 'PUT', body: 'ready', signal });
      else await sendOk('', { method: 'HEAD', signal });
      canWrite = true;
    },
    async close() {},
  };
}

function explain(body: string, bucket: string): string {
  const code = /<Code>(\w+)<\/Code>/.exec(body)?.[1];
  if (code === 'NoSuchBucket') return `: no bucket ${bucket}`;
  return code === undefined ? '' : `: ${code}`;
}
