import { describe, expect, test } from 'vitest';
import { findRunning, listRetainedImages, runsImage } from '../../src/diagnosis/running-image.ts';
import { createSnapshot } from '../../src/diagnosis/snapshot.ts';
import { digestOf } from '../../src/lib/oci.ts';
import { makeDeployment, makePod, makeStatus, ready } from '../fakes/cluster-objects.ts';

const place = { namespace: 'wealist-kind-local', name: 'board' };
const metadata = (name: string) => ({
  ...{ name, namespace: place.namespace, uid: `uid-${name}`, creationTimestamp: '' },
});

describe('the retained images of a service', () => {
  const toSet = (revision: number, image: string, more: readonly object[] = []) => ({
    kind: 'ReplicaSet',
    metadata: {
      ...metadata(`board-${revision}`),
      annotations: { 'deployment.kubernetes.io/revision': String(revision) },
    },
    spec: { template: { spec: { containers: [{ name: 'board', image }, ...more] } } },
  });
  const podOf = (name: string, ...containers: readonly { name: string; image: string }[]) =>
    makePod(name, 'board-1', { spec: { containers } });
  const list = (...objects: Parameters<typeof createSnapshot>[1]) =>
    [...listRetainedImages(createSnapshot(0, objects), place)].sort();

  test('are those of its three newest revisions, by number and not by name', () => {
    const sets = [8, 11, 9, 10].map((revision) => toSet(revision, `board:${revision}`));
    expect(list(...sets)).toEqual(['board:10', 'board:11', 'board:9']);
  });

  test('and that of every pod, also of an older or terminating one', () => {
    const sets = [2, 3, 4].map((revision) => toSet(revision, `board:${revision}`));
    const ending = makePod('board-b', 'board-1', {
      deleted: '2026-11-23T12:00:00Z',
      spec: { containers: [{ name: 'board', image: 'board:0' }] },
    });
    const pods = [podOf('board-a', { name: 'board', image: 'board:1' }), ending];
    expect(list(...sets, ...pods)).toEqual(['board:0', 'board:1', 'board:2', 'board:3', 'board:4']);
  });

  test('and of no other container', () => {
    const sidecar = { name: 'proxy', image: 'proxy:1' };
    expect(
      list(toSet(1, 'board:1', [sidecar]), podOf('board-a', sidecar, { name: 'board', image: 'board:1' })),
    ).toEqual(['board:1']);
  });

  test('are empty without a deployment; a revision without a number is the oldest', () => {
    expect(list()).toEqual([]);
    const nameless = { ...toSet(0, 'board:?'), metadata: metadata('board-x') };
    const sets = [1, 2, 3].map((revision) => toSet(revision, `board:${revision}`));
    expect(list(nameless, ...sets)).toEqual(['board:1', 'board:2', 'board:3']);
  });
});

describe('the pods that serve a service', () => {
  const built = digestOf('built');
  const serving = { replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 };

  interface World {
    readonly status?: Parameters<typeof makeDeployment>[1];
    readonly conditions?: typeof ready;
    readonly imageID?: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly endpoints?: readonly { readonly name: string; readonly ready?: boolean }[] | 'no Service';
  }

  function find({
    status = { status: serving },
    conditions = ready,
    imageID = `docker.io/library/import@${built}`,
    annotations = {},
    endpoints = [{ name: 'board-a' }],
  }: World = {}) {
    const pod = makePod('board-a', 'board-2', {
      conditions,
      podIP: '10.244.0.5',
      spec: { containers: [{ name: 'board', image: 'board:2' }] },
      containerStatuses: makeStatus({ name: 'board', imageID, containerID: 'containerd://1' }),
    });
    const slice = {
      kind: 'EndpointSlice',
      metadata: metadata('board-slice'),
      endpoints:
        endpoints === 'no Service'
          ? []
          : endpoints.map(({ name, ready }) => ({
              targetRef: { name },
              conditions: ready === undefined ? {} : { ready },
            })),
    };
    const objects = [
      ...makeDeployment('board', status),
      { ...pod, metadata: { ...pod.metadata, annotations } },
      ...(endpoints === 'no Service' ? [] : [slice]),
    ];
    return findRunning(createSnapshot(0, objects), place);
  }

  test('are those of the newest revision, with the image as the node reports it', () => {
    const running = find();
    expect(running).toMatchObject({ isServing: true, isLive: false, addresses: ['10.244.0.5'] });
    expect(runsImage(running, built)).toBe(true);
    expect(runsImage(running, digestOf('another'))).toBe(false);
  });

  test.each<[string, World]>([
    ['while old pods are not terminating', { status: { status: { ...serving, replicas: 2 } } }],
    [
      'while the controller has not observed it',
      { status: { status: { ...serving, observedGeneration: 1 } } },
    ],
    [
      'while not all of it is made',
      { status: { replicas: 2, status: { ...serving, readyReplicas: 2, availableReplicas: 2 } } },
    ],
    [
      'while not all of it is ready',
      { status: { replicas: 2, status: { ...serving, replicas: 2, updatedReplicas: 2 } } },
    ],
    ['while a pod is not ready', { conditions: [] }],
    ['while the Service routes to an old pod too', { endpoints: [{ name: 'board-a' }, { name: 'b' }] }],
    ['while the Service has no endpoints', { endpoints: [] }],
    ['while no endpoint is ready', { endpoints: [{ name: 'board-a', ready: false }] }],
  ])('is not whole %s', (_, world) => {
    const running = find(world);
    expect(running.isServing).toBe(false);
    expect(runsImage(running, built)).toBe(false);
  });

  test('need no Service, and no endpoint of a pod that is no longer ready', () => {
    expect(find({ endpoints: 'no Service' }).isServing).toBe(true);
    expect(find({ endpoints: [{ name: 'board-a' }, { name: 'b', ready: false }] }).isServing).toBe(true);
  });

  test('do not count as running the image with live files', () => {
    const live = JSON.stringify({ files: 1, sourceHash: 'a', containerID: 'containerd://1' });
    const running = find({ annotations: { 'wealist.local/live': live } });
    expect(running).toMatchObject({ isServing: true, isLive: true });
    expect(runsImage(running, built)).toBe(false);
  });
});
