import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { startDelve, stopDelve } from '../../src/steps/start-delve.ts';
import { ApiFailure, type ApiServer } from '../../src/tools/kubernetes/api-server.ts';
import type { ContainerStatus } from '../../src/tools/kubernetes/objects.ts';
import { makePod } from '../fakes/cluster-objects.ts';

const { signal } = new AbortController();
const restricted = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
const pod = makePod('board-service-a', 'board-service-1', {
  spec: { containers: [{ name: 'board-service', image: 'board:1', securityContext: restricted }] },
});
const target = { pod, container: 'board-service', pid: 7, user: 1000, group: 1001 };

/** A pod in memory, in which a debug container gets this state and log as soon as it is added. */
function makeApi(state: ContainerStatus['state'], log: string, rejection?: string) {
  const added: Readonly<Record<string, unknown>>[] = [];
  const interrupted: string[] = [];
  const listStatuses = () => added.map(({ name }) => ({ name, state, containerID: `containerd://${name}` }));
  const api = {
    get: async () => ({ ...pod, status: { ...pod.status, ephemeralContainerStatuses: listStatuses() } }),
    async patch(
      path: string,
      change: { spec: { ephemeralContainers: Readonly<Record<string, unknown>>[] } },
    ) {
      if (rejection !== undefined) throw new ApiFailure(rejection, { status: 403 });
      expect(path).toBe('/api/v1/namespaces/wealist-kind-local/pods/board-service-a/ephemeralcontainers');
      added.push(...change.spec.ephemeralContainers);
    },
    open: async () => Readable.from([log]),
  } as unknown as ApiServer;
  const nodes = {
    async interruptContainer(_node: string, container: string) {
      interrupted.push(container);
    },
  };
  return { deps: { api, nodes, image: 'wealist.local/delve:1' }, added, interrupted };
}

test('Delve has the user and group of the program, and no more rights than its container', async () => {
  const { deps, added } = makeApi({ running: {} }, 'API server listening at: 127.0.0.1:2345');
  await startDelve(deps, target, signal);
  expect(added).toMatchObject([
    {
      ...{ image: 'wealist.local/delve:1', imagePullPolicy: 'Never', targetContainerName: 'board-service' },
      securityContext: { ...restricted, runAsUser: 1000, runAsGroup: 1001 },
      command: expect.arrayContaining(['attach', '7', '--continue', '--listen=127.0.0.1:2345']),
    },
  ]);
});

test('a Delve that runs already is used again, and all are detached at the end', async () => {
  const { deps, added, interrupted } = makeApi({ running: {} }, 'API server listening at: 127.0.0.1:2345');
  await startDelve(deps, target, signal);
  await startDelve(deps, target, signal);
  expect(added).toHaveLength(1);
  await stopDelve(deps, pod, signal);
  expect(interrupted).toEqual(['delve-1']);
});

test('where the kernel does not let it attach: why, and what works instead', async () => {
  const reason = 'could not attach to pid 7: operation not permitted';
  const { deps } = makeApi({ terminated: { exitCode: 1 } }, `${reason}\n`);
  await expect(startDelve(deps, target, signal)).rejects.toMatchObject({
    message: 'Delve cannot attach to the program',
    cause: reason,
    hint: 'npm run intercept board-service -- dlv debug ./cmd/api',
    exitCode: 9,
  });
});

test('where the cluster rejects the debug container', async () => {
  const { deps } = makeApi(undefined, '', 'violates PodSecurity "restricted:latest"');
  await expect(startDelve(deps, target, signal)).rejects.toMatchObject({
    message: 'the cluster rejects a debug container with Delve',
    cause: 'violates PodSecurity "restricted:latest"',
    exitCode: 9,
  });
});
