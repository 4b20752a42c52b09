import { expect, test } from 'vitest';
import { listMismatches, toOfflineFingerprint } from '../../src/cluster/fingerprint.ts';

const context = {
  name: 'dev',
  server: 'https://dev.example',
  ca: Buffer.from('the CA'),
  login: undefined,
  kubeconfig: '',
};
const trusted = { ...toOfflineFingerprint(context), uid: 'u1' };

test('a cluster is the same whatever its kube context is called', () => {
  expect(listMismatches(trusted, toOfflineFingerprint({ ...context, name: 'other' }))).toEqual([]);
  expect(listMismatches(trusted, { uid: 'u1' })).toEqual([]);
});

test.each([
  [{ server: 'https://prod.example' }, 'API address: https://prod.example, trusted: https://dev.example'],
  [{ ca: Buffer.from('another') }, expect.stringMatching(/^CA: [0-9a-f]{64}, trusted: [0-9a-f]{64}$/)],
  [{ ca: undefined }, expect.stringMatching(/^CA: system, /)],
  [{ login: ['aws', 'eks'] }, 'login program: aws eks, trusted: none'],
])('each part tells another one apart: %j', (change, line) => {
  expect(listMismatches(trusted, toOfflineFingerprint({ ...context, ...change }))).toEqual([line]);
});

test('a recreated cluster at the same address does not match, nor does one whose UID cannot be read', () => {
  expect(listMismatches(trusted, { uid: 'u2' })).toEqual(['UID of kube-system: u2, trusted: u1']);
  expect(listMismatches(trusted, { uid: undefined })).toEqual(['UID of kube-system: none, trusted: u1']);
});
