import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { createSnapshot } from '../../src/diagnosis/snapshot.ts';
import { replaceImage } from '../../src/steps/replace-image.ts';
import { createApiServer } from '../../src/tools/kubernetes/api-server.ts';
import { createKubectl } from '../../src/tools/kubernetes/kubectl.ts';
import { makeStatus, ready } from '../fakes/cluster-objects.ts';

const namespace = 'wealist-kind-local';
const place = { namespace, name: 'board' };
const standInCommand = ['node', '/app/main.js'];

interface Revision {
  readonly image: string;
  readonly command: readonly string[] | null;
  readonly annotations: Readonly<Record<string, string>>;
}

const crashed = {
  restartCount: 2,
  state: { waiting: { reason: 'CrashLoopBackOff' } },
  lastState: { terminated: { exitCode: 3 } },
};

/** A cluster with one Deployment, whose pods become ready after some requests, or never. */
async function startCluster({
  healthy = () => true,
  command = standInCommand,
}: {
  healthy?: (image: string) => boolean;
  command?: readonly string[] | null;
} = {}) {
  const first: Revision = { image: 'board:1', command, annotations: {} };
  const revisions = [first];
  const patches: unknown[] = [];
  let live: string | undefined;
  let questions = 0;

  const describe = (revision: Revision) => ({
    metadata: { annotations: revision.annotations },
    spec: { containers: [{ name: 'board', image: revision.image, command: revision.command ?? undefined }] },
  });
  const newest = () => revisions.at(-1) as Revision;
  const isReady = () => revisions.length === 1 || (questions > 2 && healthy(newest().image));
  /** Indexes of the revisions that have a pod. */
  const listRunning = () =>
    isReady() ? [revisions.length - 1] : [revisions.length - 2, revisions.length - 1];
  const common = (name: string, owner?: string) => ({
    ...{ name, namespace, uid: `uid-${name}`, creationTimestamp: new Date().toISOString() },
    ...(owner === undefined
      ? {}
      : {
          ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: owner, uid: `uid-${owner}` }],
        }),
  });
  const revisionOf = (at: number) => ({ 'deployment.kubernetes.io/revision': String(at + 1) });
  const isOld = (at: number) => at < revisions.length - 1;

  const objects = {
    deployment: () => ({
      kind: 'Deployment',
      metadata: {
        ...common('board'),
        generation: revisions.length,
        annotations: revisionOf(revisions.length - 1),
      },
      spec: { replicas: 1, template: describe(newest()) },
      status: {
        observedGeneration: revisions.length,
        replicas: listRunning().length,
        updatedReplicas: 1,
        readyReplicas: 1,
        availableReplicas: 1,
      },
    }),
    replicasets: () =>
      revisions.map((revision, at) => ({
        kind: 'ReplicaSet',
        metadata: { ...common(`board-${at}`, 'board'), annotations: revisionOf(at) },
        spec: { template: describe(revision) },
      })),
    pods: () =>
      listRunning().map((at) => ({
        kind: 'Pod',
        metadata: {
          ...common(`pod-${at}`, `board-${at}`),
          ...(live !== undefined && at === 0 ? { annotations: { 'wealist.local/live': live } } : {}),
        },
        spec: { nodeName: 'node', ...describe(revisions[at] as Revision).spec },
        status: {
          phase: 'Running',
          podIP: `10.244.0.${at + 1}`,
          conditions: isOld(at) || isReady() ? ready : [],
          containerStatuses: makeStatus({
            name: 'board',
            containerID: `containerd://${at}`,
            imageID: `sha256:${(revisions[at] as Revision).image}`,
            ...(isOld(at) || isReady() || healthy(newest().image) ? {} : crashed),
          }),
        },
      })),
    endpointslices: () => [
      {
        kind: 'EndpointSlice',
        metadata: common('board-slice'),
        endpoints: listRunning()
          .filter((at) => isOld(at) || isReady())
          .map((at) => ({ conditions: { ready: true }, targetRef: { name: `pod-${at}` } })),
      },
    ],
  };

  const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    const { pathname } = new URL(request.url ?? '', 'http://api');
    const kind = pathname.split('/').at(-1) ?? '';
    if (request.method === 'PATCH') {
      const patch = (await json(request)) as {
        spec: {
          template: {
            metadata?: { annotations: Record<string, string> };
            spec: { containers: { image: string; command?: null }[] };
          };
        };
      };
      patches.push(patch);
      const { metadata, spec } = patch.spec.template;
      const [{ image = '', command = newest().command } = {}] = spec.containers;
      const annotations = { ...newest().annotations, ...metadata?.annotations };
      const revision = { image, command, annotations };
      if (JSON.stringify(revision) !== JSON.stringify(newest())) revisions.push(revision);
      questions = 0;
    } else if (kind === 'board') questions += 1;
    const answer =
      kind === 'board'
        ? objects.deployment()
        : { items: objects[kind as 'pods' | 'replicasets' | 'endpointslices']() };
    response.end(JSON.stringify(answer));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });

  const api = createApiServer({ server: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  onTestFinished(() => api.agent.destroy());
  const kubectl = createKubectl(async () => ({ stdout: 'the last words\n', stderr: '' }), {
    program: 'kubectl',
    kubeconfig: 'kubeconfig',
    context: 'kind-wealist',
  });
  const snapshots = {
    async take() {
      const { deployment, replicasets, pods, endpointslices } = objects;
      const all = [deployment(), ...replicasets(), ...pods(), ...endpointslices()];
      return createSnapshot(Date.now(), all as Parameters<typeof createSnapshot>[1]);
    },
  };
  const run = { signal: new AbortController().signal, report: () => {} };
  const unrouted: string[] = [];
  return {
    unrouted,
    revisions,
    patches,
    setLive(files: number) {
      live = JSON.stringify({ files, sourceHash: 'a', containerID: 'containerd://0' });
    },
    replace: (reference: string, { isStandIn = true } = {}) =>
      replaceImage(
        {
          ...{ api, kubectl, snapshots, place },
          waitUntilUnrouted: async (addresses) => void unrouted.push(...(await addresses)),
        },
        {
          reference,
          id: `sha256:${reference}`,
          isStandIn,
        },
        run,
      ),
  };
}

test('waits until only pods of the new image exist and the service routes to them', async () => {
  const { replace, revisions, unrouted } = await startCluster();
  await replace('board:2');
  expect(revisions.at(-1)).toEqual({ image: 'board:2', command: standInCommand, annotations: {} });
  // No node routes to the previous pod any more, only to the new one.
  expect(unrouted).toEqual(['10.244.0.1']);
});

test('an image that is not a stand-in starts with its own command', async () => {
  const { replace, revisions } = await startCluster({ command: null });
  await replace('board:2', { isStandIn: false });
  expect(revisions.at(-1)).toMatchObject({ image: 'board:2', command: null });
});

test('a service that was deployed as the other of stand-in and own program is left as it is', async () => {
  const standIn = await startCluster();
  await expect(standIn.replace('board:2', { isStandIn: false })).rejects.toMatchObject({
    message: 'board was deployed as a stand-in, and is built from its source now',
    hint: 'npm run up -- board',
  });
  const own = await startCluster({ command: null });
  await expect(own.replace('board:2')).rejects.toThrow('was deployed from its source, and is a stand-in now');
  expect([...standIn.patches, ...own.patches]).toEqual([]);
});

test('pods that have live files are replaced although their image stays', async () => {
  const { replace, revisions, setLive } = await startCluster();
  setLive(2);
  await replace('board:1');
  expect(revisions).toHaveLength(2);
  expect(revisions.at(-1)?.image).toBe('board:1');
});

test('a crash ends it with the verdict, and says that the previous pods still serve', async () => {
  const { replace } = await startCluster({ healthy: (image) => image !== 'board:bad' });
  await expect(replace('board:bad')).rejects.toMatchObject({
    message: 'board did not become ready',
    cause: expect.stringMatching(/crashed[\s\S]*the previous pods still serve requests$/),
    exitCode: 8,
  });
});
