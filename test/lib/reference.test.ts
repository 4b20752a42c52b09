import { expect, test } from 'vitest';
import { toDigested, toReference, toTagged } from '../../src/lib/reference.ts';

const digest = `sha256:${'a'.repeat(64)}` as const;

test.each([
  ['docker.io/library/redis:8.0.3', { registry: 'docker.io', repository: 'library/redis', tag: '8.0.3' }],
  ['127.0.0.1:5000/redis:8', { registry: '127.0.0.1:5000', repository: 'redis', tag: '8' }],
  ['localhost/redis:8', { registry: 'localhost', repository: 'redis', tag: '8' }],
  [
    `registry.k8s.io/a/b/c:v1@${digest}`,
    { registry: 'registry.k8s.io', repository: 'a/b/c', tag: 'v1', digest },
  ],
])('%s', (text, reference) => {
  expect(toReference(text)).toEqual(reference);
});

test.each([
  'redis',
  'redis:8',
  'library/redis:8',
  'docker.io/library/redis',
  `docker.io/redis@${digest}`,
  '',
])('%j is not a full reference', (text) => {
  expect(toReference(text)).toBeUndefined();
});

test('is written with its tag, or with a digest', () => {
  const reference = { registry: 'docker.io', repository: 'library/redis', tag: '8.0.3', digest } as const;
  expect(toTagged(reference)).toBe('docker.io/library/redis:8.0.3');
  expect(toDigested(reference, digest)).toBe(`docker.io/library/redis@${digest}`);
});
