import { expect, test } from 'vitest';
import type { Manifest } from '../../src/diff/manifest.ts';
import { judgeNodes } from '../../src/plans/node-fit.ts';

const app = { instance: 't3.medium', count: 2, cpu: 2, memory: '4Gi', pods: 17 };
const db = { instance: 't3.large', count: 1, cpu: 2, memory: '8Gi', pods: 35 };

function workload(
  name: string,
  requests: Readonly<Record<string, string>>,
  { kind = 'Deployment', replicas = 1 } = {},
): Manifest {
  const containers = [{ name, resources: { requests } }];
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name },
    spec: { replicas, template: { spec: { containers } } },
  };
}

const scaler = (name: string, minReplicas: number, maxReplicas: number): Manifest => ({
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name },
  spec: { minReplicas, maxReplicas, scaleTargetRef: { kind: 'Deployment', name } },
});

test('an environment that names no nodes is not judged', () => {
  expect(judgeNodes({}, [workload('a', { cpu: '100' })])).toBeUndefined();
});

test('pods that fit are reported with the share of the nodes that they request', () => {
  const fit = judgeNodes({ nodes: { app, db } }, [
    workload('a', { cpu: '500m', memory: '1Gi' }, { replicas: 2 }),
    workload('postgres', { cpu: '1', memory: '6Gi' }, { kind: 'StatefulSet' }),
  ]);
  // EKS reserves 70m of two cores, and 542 MiB of a node for 17 pods.
  expect(fit?.least).toEqual({
    pods: 3,
    line: '3 of 69 pods, 2000m CPU of 5790m CPU, 8 GiB of 14.2 GiB',
    unplaced: [],
  });
  expect(fit?.most).toBeUndefined();
});

test('a pod larger than any node is not placed', () => {
  const fit = judgeNodes({ nodes: { app } }, [workload('large', { cpu: '2', memory: '64Mi' })]);
  expect(fit?.least.unplaced).toEqual([{ name: 'large', pods: 1, request: '2000m CPU and 64 MiB' }]);
});

test('a data store is placed on a db node, and on another one when those are full', () => {
  const stores = ['one', 'two'].map((name) =>
    workload(name, { cpu: '100m', memory: '3Gi' }, { kind: 'StatefulSet' }),
  );
  const both = [...stores, workload('service', { cpu: '100m', memory: '3Gi' }, { replicas: 2 })];
  expect(judgeNodes({ nodes: { app, db } }, both)?.least.unplaced).toEqual([]);
  expect(judgeNodes({ nodes: { app } }, both)?.least.unplaced).toMatchObject([{ name: 'service', pods: 2 }]);
});

test("with autoscaling the maximum is placed as well, up to the nodes' pod limit", () => {
  const fit = judgeNodes({ nodes: { app } }, [
    workload('a', { cpu: '10m', memory: '16Mi' }, { replicas: 5 }),
    scaler('a', 2, 40),
  ]);
  expect(fit?.least).toMatchObject({ pods: 2, unplaced: [] });
  expect(fit?.most).toMatchObject({ pods: 40, unplaced: [{ name: 'a', pods: 6 }] });
});
