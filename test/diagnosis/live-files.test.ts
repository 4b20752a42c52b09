import { expect, test } from 'vitest';
import { findLiveFiles, toLiveAnnotations } from '../../src/diagnosis/live-files.ts';
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
