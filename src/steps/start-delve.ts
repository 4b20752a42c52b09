import { buffer } from 'node:stream/consumers';
import { dlvPath } from '../debug/delve-image.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { waitFor } from '../lib/wait.ts';
import type { Nodes } from '../tools/docker/nodes.ts';
import { ApiFailure, type ApiServer } from '../tools/kubernetes/api-server.ts';
import type { ContainerStatus, Pod } from '../tools/kubernetes/objects.ts';

/** Port of Delve, on the loopback of the pod. */
export const delvePort = 2_345;

export interface DelveDeps {
  readonly api: ApiServer;
  readonly nodes: Pick<Nodes, 'interruptContainer'>;
  /** Reference of an image with Delve that is on the pod's node. */
  readonly image: string;
}

export interface DelveTarget {
  readonly pod: Pod;
  /** The container whose program is debugged. */
  readonly container: string;
  /** In the container. */
  readonly pid: number;
  /** The kernel compares both before it lets one process debug another. */
  readonly user: number;
  readonly group: number;
}

/** Milliseconds in which Delve must have attached. */
const timeout = 30_000;

const namePrefix = 'delve-';

/**
 * Starts Delve in an ephemeral debug container of a pod, as the program's own user and with what the program's container may
 * do, so that every Pod Security Standard accepts it. The program goes on. A Delve that an earlier run has left is used again.
 * @throws {Failure} exit code 9 with the reason when the container is rejected or Delve may not attach.
 */
export async function startDelve(
  { api, image }: DelveDeps,
  target: DelveTarget,
  signal: AbortSignal,
): Promise<void> {
  const { metadata, spec } = target.pod;
  const path = `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}`;
  const current = await api.get<Pod>(path, signal);
  if (listDelves(current).some(({ state }) => state?.running)) return;
  const name = `${namePrefix}${listDelves(current).length + 1}`;
  const debugged = spec.containers.find((each) => each.name === target.container);
  const container = {
    name,
    image,
    imagePullPolicy: 'Never',
    targetContainerName: target.container,
    command: toCommand(target.pid),
    securityContext: {
      ...debugged?.securityContext,
      ...{ runAsUser: target.user, runAsGroup: target.group, readOnlyRootFilesystem: true },
    },
  };
  try {
    await api.patch(`${path}/ephemeralcontainers`, { spec: { ephemeralContainers: [container] } }, signal);
  } catch (error) {
    if (!(error instanceof ApiFailure) || error.status === undefined) throw error;
    throw toRefusal('the cluster rejects a debug container with Delve', error.message);
  }
  const ended = await waitFor(
    async () => {
      const pod = await api.get<Pod>(path, signal);
      const { state } = listDelves(pod).find((each) => each.name === name) ?? {};
      if (state?.terminated) return 'terminated';
      if (!state?.running) return undefined;
      return (await readLog(api, path, name, signal)).includes('listening at') ? 'running' : undefined;
    },
    { interval: 100, timeout, signal },
  );
  if (ended === 'running') return;
  const log = await readLog(api, path, name, signal);
  throw toRefusal(
    ended === undefined
      ? `Delve did not attach in ${timeout / 1000} s`
      : 'Delve cannot attach to the program',
    log.trim().split('\n').slice(-3).join('\n'),
  );

  function toRefusal(message: string, cause: string): Failure {
    const service = target.container;
    const hint = `npm run intercept ${service} -- dlv debug ./cmd/api`;
    return new Failure(message, { cause, hint, exitCode: exitCodes.refused });
  }
}

/** Detaches Delve from the program, which goes on, and ends it. */
export async function stopDelve(
  { api, nodes }: Pick<DelveDeps, 'api' | 'nodes'>,
  { metadata }: Pod,
  signal: AbortSignal,
): Promise<void> {
  const pod = await api.get<Pod>(`/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}`, signal);
  for (const { state, containerID } of listDelves(pod)) {
    if (!state?.running || containerID === undefined || pod.spec.nodeName === undefined) continue;
    await nodes.interruptContainer(pod.spec.nodeName, containerID.replace('containerd://', ''), signal);
  }
}

function toCommand(pid: number): readonly string[] {
  return [
    ...[dlvPath, 'attach', String(pid), '--headless', '--accept-multiclient', '--continue'],
    ...[
      `--listen=127.0.0.1:${delvePort}`,
      '--api-version=2',
      '--check-go-version=false',
      '--only-same-user=false',
    ],
  ];
}

function listDelves({ status }: Pod): readonly ContainerStatus[] {
  return (status.ephemeralContainerStatuses ?? []).filter(({ name }) => name.startsWith(namePrefix));
}

async function readLog(
  api: ApiServer,
  path: string,
  container: string,
  signal: AbortSignal,
): Promise<string> {
  try {
    return (await buffer(await api.open(`${path}/log?container=${container}`, signal))).toString();
  } catch (error) {
    // It has not started yet.
    if (error instanceof ApiFailure && error.status === 400) return '';
    throw error;
  }
}
