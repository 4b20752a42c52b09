import { expect, test } from 'vitest';
import { findStandstill, toDebugPatches } from '../../src/debug/debug-rollout.ts';
import { debugAnnotation } from '../../src/lib/labels.ts';
import { findProcess } from '../../src/lib/processes.ts';
import { endAbandonedDebugging, endDebugging, isDebugged } from '../../src/steps/debug-service.ts';
import { createServiceCluster, place } from '../fakes/service-cluster.ts';

const { signal } = new AbortController();
const run = { signal, report: () => {} };
const jdwp = '-agentlib:jdwp=transport=dt_socket,server=y,suspend=n,address=127.0.0.1:5005';
const probes = {
  livenessProbe: { httpGet: { path: '/live', port: 8080 }, periodSeconds: 10, failureThreshold: 3 },
  readinessProbe: { httpGet: { path: '/ready', port: 8080 }, failureThreshold: 2 },
};
const container = { name: place.name, image: 'board:1' };

type Cluster = ReturnType<typeof createServiceCluster>;

/** Patches the Deployment as `debug` does, in the name of a process. */
async function debugged(cluster: Cluster, started?: string): Promise<void> {
  const options = { container: place.name, isJvm: true };
  const { change, undo } = toDebugPatches(cluster.deployment(), options);
  const own = started ?? (await findProcess(process.pid))?.started;
  const mark = JSON.stringify({ pid: process.pid, started: own, undo });
  cluster.change('deployments', { metadata: { annotations: { [debugAnnotation]: mark } }, ...change });
}

const containerOf = (cluster: Cluster) => cluster.deployment().spec.template.spec?.containers[0];

test.each([
  ['no options', {}, jdwp],
  ['options', { env: [{ name: 'JAVA_TOOL_OPTIONS', value: '-Xmx256m' }] }, `-Xmx256m ${jdwp}`],
  ['other variables', { env: [{ name: 'PORT', value: '80' }] }, jdwp],
] as const)('a JVM with %s listens for a debugger, and afterwards is what it was', async (_, own, value) => {
  const cluster = createServiceCluster({ container: { ...own, ...probes } });
  const before = structuredClone(containerOf(cluster));
  await debugged(cluster);
  expect(containerOf(cluster)?.env?.find(({ name }) => name === 'JAVA_TOOL_OPTIONS')).toEqual({
    name: 'JAVA_TOOL_OPTIONS',
    value,
  });
  expect(containerOf(cluster)?.livenessProbe).toMatchObject({
    failureThreshold: 1_000_000,
    periodSeconds: 10,
  });
  await endDebugging(cluster.deps.api, place, signal);
  expect(containerOf(cluster)).toEqual('env' in own ? before : { ...before, env: [] });
  expect(cluster.deployment().metadata.annotations).toEqual({});
});

test('options that a ConfigMap gives are kept', () => {
  const { change } = toDebugPatches(createServiceCluster().deployment(), {
    ...{ container: place.name, isJvm: true, inherited: '-Xss1m' },
  });
  expect(JSON.stringify(change)).toContain(`"-Xss1m ${jdwp}"`);
});

test('options from a Secret are refused, since the Deployment would show them', () => {
  const valueFrom = { secretKeyRef: { name: 'secret', key: 'options' } };
  const cluster = createServiceCluster({ container: { env: [{ name: 'JAVA_TOOL_OPTIONS', valueFrom }] } });
  expect(() => toDebugPatches(cluster.deployment(), { container: place.name, isJvm: true })).toThrow(
    expect.objectContaining({ exitCode: 9 }),
  );
});

test('without a JVM only the probes change', () => {
  const cluster = createServiceCluster({ container: probes });
  const { change, undo } = toDebugPatches(cluster.deployment(), { container: place.name, isJvm: false });
  const toPatch = (liveness: number, readiness: number) => ({
    spec: {
      template: {
        spec: {
          containers: [
            {
              name: place.name,
              livenessProbe: { failureThreshold: liveness },
              readinessProbe: { failureThreshold: readiness },
            },
          ],
        },
      },
    },
  });
  expect(change).toEqual(toPatch(1_000_000, 1_000_000));
  expect(undo).toEqual(toPatch(3, 2));
});

test('how long a program may stand still', () => {
  expect(findStandstill({ ...container, ...probes })).toBe(30);
  expect(findStandstill(container)).toBeUndefined();
});

test.each([
  ['of a killed process is taken back', 'an earlier process of the same PID', false, false],
  ['of a running process stays', undefined, false, true],
  ['of a running process is taken back with --repair', undefined, true, false],
] as const)('up: the rollout %s', async (_, started, all, stays) => {
  const cluster = createServiceCluster({ container: probes });
  await debugged(cluster, started);
  const step = endAbandonedDebugging({
    ...{ namespace: place.namespace, all },
    openApi: async () => cluster.deps.api,
  });
  expect(await step.isDone?.(run)).toBe(stays ? 'none to take back' : false);
  await step.apply(run);
  expect(await isDebugged(cluster.deployment())).toBe(stays);
  expect(containerOf(cluster)?.livenessProbe?.failureThreshold).toBe(stays ? 1_000_000 : 3);
});

test('a Deployment without a note, or with a damaged one', async () => {
  const cluster = createServiceCluster({ container: probes });
  await endDebugging(cluster.deps.api, place, signal);
  expect(cluster.requests).toEqual([]);
  cluster.change('deployments', { metadata: { annotations: { [debugAnnotation]: 'damaged' } } });
  expect(await isDebugged(cluster.deployment())).toBe(false);
  await endDebugging(cluster.deps.api, place, signal);
  expect(cluster.deployment().metadata.annotations).toEqual({});
});
