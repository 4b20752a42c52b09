import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { askedAnnotation } from '../../src/lib/labels.ts';
import { whileAskingReadiness } from '../../src/steps/ask-readiness.ts';
import { ApiFailure } from '../../src/tools/kubernetes/api-server.ts';
import type { Pod } from '../../src/tools/kubernetes/objects.ts';

const { signal } = new AbortController();

interface Change {
  readonly periodSeconds?: number;
  readonly ready?: boolean;
  readonly started?: boolean;
  readonly running?: boolean;
  readonly isLeaving?: boolean;
}

function makePod(name: string, change: Change = {}): Pod {
  const { periodSeconds = 5, ready = false, started = true, running = true, isLeaving = false } = change;
  return {
    metadata: {
      ...{ name, namespace: 'ours', uid: name },
      ...(isLeaving && { deletionTimestamp: '2026-01-01T00:00:00Z' }),
    },
    spec: { containers: [{ name: 'main', image: 'main:1', readinessProbe: { periodSeconds } }] },
    status: {
      containerStatuses: [
        { name: 'main', ready, started, state: running ? { running: {} } : { waiting: {} } },
      ],
    },
  } as unknown as Pod;
}

/** An API server that notes which pods are changed, and knows nothing of one that is gone. */
function makeApi() {
  const changed: string[] = [];
  const patch = async (path: string, change: { metadata: { annotations: Record<string, string> } }) => {
    if (path.endsWith('/gone')) throw new ApiFailure('not found', { status: 404 });
    expect(Object.keys(change.metadata.annotations)).toEqual([askedAnnotation]);
    changed.push(path);
  };
  return { changed, api: { patch } as unknown as Parameters<typeof whileAskingReadiness>[0] };
}

test('pods that run and are not ready are asked again, unless their probe does so itself', async () => {
  const { changed, api } = makeApi();
  const pods = [
    makePod('gone'),
    makePod('late'),
    makePod('often', { periodSeconds: 1 }),
    makePod('ready', { ready: true }),
    makePod('starting', { started: false }),
    makePod('waiting', { running: false }),
    makePod('leaving', { isLeaving: true }),
  ];
  const work = () => sleep(2_300, 'done');
  expect(await whileAskingReadiness(api, async () => pods, signal, work)).toBe('done');
  expect(new Set(changed)).toEqual(new Set(['/api/v1/namespaces/ours/pods/late']));
  // The pod that is gone does not end it.
  expect(changed.length).toBeGreaterThan(1);
  const count = changed.length;
  await sleep(1_200);
  expect(changed).toHaveLength(count);
});

test('the error of what waits is passed on, and one of asking that is no outage', async () => {
  const { api } = makeApi();
  const fail = async () => {
    throw new TypeError('a bug');
  };
  await expect(whileAskingReadiness(api, async () => [], signal, fail)).rejects.toThrow('a bug');
  await expect(whileAskingReadiness(api, fail, signal, () => sleep(10_000))).rejects.toThrow('a bug');
});
