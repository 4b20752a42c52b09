import { expect, test } from 'vitest';
import { findLiveFiles, findServiceLiveFiles, toLiveAnnotations } from '../../src/diagnosis/live-files.ts';
import type { Pod } from '../../src/tools/kubernetes/objects.ts';
import { makePod, makeStatus } from '../fakes/cluster-objects.ts';

function podWith(annotations: Readonly<Record<string, string | null>>, containerID = 'containerd://1'): Pod {
  const pod = makePod('board', 'board-2', { containerStatuses: makeStatus({ containerID }) });
  return { ...pod, metadata: { ...pod.metadata, annotations: annotations as Record<string, string> } };
}

const live = { files: 2, sourceHash: 'abc' };

test('the live files of a container are found', () => {
  expect(findLiveFiles(podWith(toLiveAnnotations('containerd://1', live)), 'main')).toEqual(live);
});

test('a restarted container has no live files', () => {
  expect(
    findLiveFiles(podWith(toLiveAnnotations('containerd://1', live), 'containerd://2'), 'main'),
  ).toBeUndefined();
});

test('a container that waits for its next start has no live files', () => {
  const pod = podWith(toLiveAnnotations('containerd://1', live));
  const waiting = makeStatus({
    containerID: 'containerd://1',
    state: { waiting: { reason: 'CrashLoopBackOff' } },
  });
  expect(
    findLiveFiles({ ...pod, status: { ...pod.status, containerStatuses: waiting } }, 'main'),
  ).toBeUndefined();
});

test('without files the annotation is removed', () => {
  for (const none of [undefined, { ...live, files: 0 }]) {
    expect(Object.values(toLiveAnnotations('containerd://1', none))).toEqual([null]);
  }
});

test.each(['', '{', '[]', 'null', '{"files":"2"}', '{"files":2,"sourceHash":"abc"}'])(
  'a mark of somebody else is none: %s',
  (text) => {
    expect(findLiveFiles(podWith({ 'wealist.local/live': text }), 'main')).toBeUndefined();
  },
);

test('a service has the files of a source only if all its pods have them', () => {
  const with1 = podWith(toLiveAnnotations('containerd://1', live));
  const restarted = podWith(toLiveAnnotations('containerd://1', live), 'containerd://2');
  const other = podWith(toLiveAnnotations('containerd://1', { files: 3, sourceHash: 'def' }));
  expect(findServiceLiveFiles([with1, with1], 'main')).toEqual({ ...live, pods: 2, of: 2 });
  expect(findServiceLiveFiles([with1, restarted], 'main')).toEqual({
    ...live,
    sourceHash: '',
    pods: 1,
    of: 2,
  });
  expect(findServiceLiveFiles([with1, other], 'main')).toEqual({ files: 3, sourceHash: '', pods: 2, of: 2 });
  expect(findServiceLiveFiles([restarted], 'main')).toBeUndefined();
});
