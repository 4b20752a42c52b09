import { AwsV4Signer } from 'aws4fetch';

export interface PresignOptions {
  readonly method: 'GET' | 'PUT';
  /** URL of the object, as the browser will request it. */
  readonly url: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  /** Seconds for which the URL is valid. */
  readonly expires?: number;
  readonly now?: Date;
}

/** The URL with AWS Signature Version 4 in its query. No request is made. */
export async function presign({
  method,
  url,
  expires = 900,
  now = new Date(),
  ...credentials
}: PresignOptions): Promise<string> {
  const target = new URL(url);
  target.searchParams.set('X-Amz-Expires', String(expires));
  const signer = new AwsV4Signer({
    ...credentials,
    method,
    url: target.toString(),
    service: 's3',
    signQuery: true,
    // 2013-05-24T00:00:00.000Z → 20130524T000000Z
    datetime: now.toISOString().replace(/[:-]|\.\d{3}/g, ''),
  });
  return (await signer.sign()).url.toString();
}
