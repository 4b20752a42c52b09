import { expect, test } from 'vitest';
import { findKubeletError } from '../../../src/tools/docker/kubelet.ts';

const journal = [
  'Started Kubernetes node agent.',
  'I1130 02:41:10.100000    1200 server.go:212] "Kubelet version" kubeletVersion="v1.34.4"',
  'E1130 02:41:11.123456    1200 kubelet.go:3012] "Container runtime network not ready" networkReady="false"',
  'E1130 02:41:11.200000    1200 run.go:72] "command failed" err="failed to run Kubelet: invalid configuration: cgroup [\\"kubelet\\"] has some missing controllers: hugetlb"',
  'kubelet.service: Main process exited, code=exited, status=1/FAILURE',
  "kubelet.service: Failed with result 'exit-code'.",
];
const of = (state: string, [before, after]: readonly [number, number], lines: readonly string[]) =>
  `NRestarts=${before}\nNRestarts=${after}\nActiveState=${state}\n\n${lines.join('\n')}\n`;

test('its last words, without their quotes', () => {
  expect(findKubeletError(of('activating', [7, 9], journal))).toBe(
    'failed to run Kubelet: invalid configuration: cgroup ["kubelet"] has some missing controllers: hugetlb',
  );
});

test('one that is running between two restarts', () => {
  expect(findKubeletError(of('active', [7, 9], journal))).toContain('missing controllers');
});

test('one that runs, after whatever failures: they are not why the creation failed', () => {
  expect(findKubeletError(of('active', [9, 9], journal))).toBeUndefined();
});

test('without last words, the last errors', () => {
  const lines = journal.filter((line) => !line.includes('command failed'));
  expect(findKubeletError(of('failed', [0, 0], lines))).toBe(
    '"Container runtime network not ready" networkReady="false"',
  );
});

test('one that was never started says nothing', () => {
  expect(findKubeletError(of('inactive', [0, 0], ['-- No entries --']))).toBeUndefined();
});
