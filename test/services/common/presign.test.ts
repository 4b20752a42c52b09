import { expect, test } from 'vitest';
import { presign } from '../../../services/common/presign.ts';

const credentials = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  region: 'us-east-1',
  now: new Date('2013-05-24T00:00:00Z'),
};

test('signs like the example of AWS Signature Version 4', async () => {
  const url = 'https://examplebucket.s3.amazonaws.com/test.txt';
  const { searchParams } = new URL(await presign({ ...credentials, method: 'GET', url, expires: 86_400 }));
  expect(searchParams.get('X-Amz-Credential')).toBe(
    'AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request',
  );
  expect(searchParams.get('X-Amz-Signature')).toBe(
    'aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
  );
});

test('covers host, method and object, and is valid for 15 minutes', async () => {
  const sign = (method: 'GET' | 'PUT', url: string) => presign({ ...credentials, method, url });
  const addresses = await Promise.all([
    sign('GET', 'http://s3:7070/files/1'),
    sign('PUT', 'http://s3:7070/files/1'),
    sign('GET', 'http://localhost:7070/files/1'),
    sign('GET', 'http://s3:7070/files/2'),
  ]);
  const queries = addresses.map((address) => new URL(address).searchParams);
  expect(new Set(queries.map((query) => query.get('X-Amz-Signature'))).size).toBe(4);
  expect(queries.map((query) => query.get('X-Amz-Expires'))).toEqual(['900', '900', '900', '900']);
});
