import { text } from 'node:stream/consumers';
import type { FoundNode } from '../cluster/ownership.ts';
import type { Snapshots } from '../diagnosis/snapshot.ts';
import { toDuration } from '../lib/duration.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { waitFor } from '../lib/wait.ts';
import type { Run } from '../plan/plan.ts';
import type { Docker } from '../tools/docker/docker.ts';
import { type ApiServer, isConnectionLost } from '../tools/kubernetes/api-server.ts';
import type { ContainerStatus } from '../tools/kubernetes/objects.ts';

/** Milliseconds without another reason for no response until the wait for the API server gives up. */
const apiTimeout = 180_000;

/** Milliseconds without another restarted pod until the others are not awaited here. */
const podsTimeout = 60_000;

/** Opens the API server of the private kubeconfig. */
type OpenApi = () => Promise<ApiServer>;

/** Waits until the API server reports that it is ready. @throws {Failure} exit code 5 when it makes no progress. */
export async function waitForApi(
  openApi: OpenApi,
  cluster: string,
  { signal, report }: Run,
  { timeout = apiTimeout, interval = 300 } = {},
): Promise<void> {
  report('waiting for the API server');
  let reason = '';
  const reasons = new Set<string>();
  const onFailure = (failure: Error) => {
    reason = [failure.message, failure.cause].filter((each) => typeof each === 'string').join(': ');
    reasons.add(reason);
  };
  const ready = await waitFor(() => askApi(openApi, signal, readReady, onFailure), {
    ...{ interval, timeout, signal },
    // One that crashes again and again has a few reasons in turn, which is no progress.
    progress: () => String(reasons.size),
  });
  if (ready !== undefined) return;
  const limit = `no progress for ${toDuration(timeout)}`;
  throw new Failure(`the API server of cluster ${cluster} is not ready: ${limit}`, {
    cause: reason,
    hint: 'npm run down, then npm run up: the data is preserved',
    exitCode: exitCodes.cluster,
  });
}

/** Whether the API server reports that it is ready. */
export async function isApiReady(openApi: OpenApi, signal: AbortSignal): Promise<boolean> {
  return (await askApi(openApi, signal, readReady)) !== undefined;
}

async function readReady(api: ApiServer, signal: AbortSignal): Promise<string> {
  return text(await api.open('/readyz', signal));
}

/** The response of the API server; undefined when it does not respond. */
export async function askApi<T>(
  openApi: OpenApi,
  signal: AbortSignal,
  ask: (api: ApiServer, signal: AbortSignal) => Promise<T>,
  onFailure: (failure: Error) => void = () => {},
): Promise<T | undefined> {
  try {
    return await ask(await openApi(), signal);
  } catch (error) {
    signal.throwIfAborted();
    // A missing kubeconfig counts as no response too: `up` writes it.
    if (!(error instanceof Failure) && !isConnectionLost(error)) throw error;
    onFailure(error as Error);
    return undefined;
  }
}

export interface RestartDeps {
  readonly docker: Pick<Docker, 'findContainer'>;
  readonly snapshots: Snapshots;
}

/**
 * Until its kubelet reports, the API server shows a node's pods as they were before the node stopped: ready. Waits
 * until every pod has been restarted; without progress, the steps that need a pod wait for it.
 */
export async function waitForRestarts(
  { docker, snapshots }: RestartDeps,
  nodes: readonly FoundNode[],
  { signal, report }: Run,
): Promise<void> {
  if (nodes.length === 0) return;
  const containers = await Promise.all(nodes.map(({ id }) => docker.findContainer(id, { signal })));
  const started = new Map(
    containers.map((container) => [container?.name, Date.parse(container?.startedAt ?? '')]),
  );
  const isEarlier = ({ state }: ContainerStatus, node: string | undefined) =>
    Date.parse(state?.running?.startedAt ?? '') < (started.get(node) ?? 0);
  let reached = '';
  const isOver = async () => {
    const pods = await takePods();
    const earlier = pods?.filter(({ spec, status }) =>
      (status.containerStatuses ?? []).some((container) => isEarlier(container, spec.nodeName)),
    );
    if (pods && earlier) reached = `${pods.length - earlier.length} of ${pods.length} pods restarted`;
    report(reached);
    return earlier?.length === 0 || undefined;
  };

  /** Undefined when the API server, which has only just started, does not respond. */
  async function takePods() {
    try {
      return (await snapshots.take(signal)).list('Pod');
    } catch (error) {
      signal.throwIfAborted();
      if (isConnectionLost(error)) return undefined;
      throw error;
    }
  }

  await waitFor(isOver, { interval: 500, timeout: podsTimeout, signal, progress: () => reached });
}
