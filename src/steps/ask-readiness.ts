import { setTimeout as sleep } from 'node:timers/promises';
import { askedAnnotation } from '../lib/labels.ts';
import { ApiFailure, type ApiServer } from '../tools/kubernetes/api-server.ts';
import type { Pod } from '../tools/kubernetes/objects.ts';

/** Milliseconds between two times: the kubelet looks at its containers once a second. */
const interval = 1_000;

/**
 * Runs `work`, and meanwhile has pods that run and are not ready asked again each second. A probe that came before its
 * program listened is otherwise repeated only after its period, seconds later; but the kubelet also asks when a pod that
 * is not ready changes, if only by an annotation.
 */
export async function whileAskingReadiness<T>(
  api: Pick<ApiServer, 'patch'>,
  listPods: () => Promise<readonly Pod[]>,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const asking = keepAsking(api, listPods, AbortSignal.any([signal, over.signal]));
  try {
    // Asking ends by itself only with a bug.
    return await Promise.race([work(), asking.then(() => new Promise<never>(() => {}))]);
  } finally {
    over.abort();
  }
}

async function keepAsking(
  api: Pick<ApiServer, 'patch'>,
  listPods: () => Promise<readonly Pod[]>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await sleep(interval, undefined, { signal }).catch(() => undefined);
    // An API server that restarts, or a pod that is gone: whoever waits for readiness reports that.
    await askOnce(api, listPods, signal).catch((error) => {
      if (!signal.aborted && !(error instanceof ApiFailure)) throw error;
    });
  }
}

async function askOnce(
  api: Pick<ApiServer, 'patch'>,
  listPods: () => Promise<readonly Pod[]>,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const pods = (await listPods()).filter(isAskedTooRarely);
  const change = { metadata: { annotations: { [askedAnnotation]: new Date().toISOString() } } };
  await Promise.all(pods.map((pod) => api.patch(toPath(pod), change, signal)));
}

/** Whether it has a container that has started and is not ready, whose probe comes less than once a second. */
function isAskedTooRarely({ spec, status, metadata }: Pod): boolean {
  if (metadata.deletionTimestamp !== undefined) return false;
  return (status.containerStatuses ?? []).some(({ name, state, started, ready }) => {
    const probe = spec.containers.find((each) => each.name === name)?.readinessProbe;
    return state?.running !== undefined && started !== false && !ready && (probe?.periodSeconds ?? 1) > 1;
  });
}

function toPath({ metadata: { namespace, name } }: Pod): string {
  return `/api/v1/namespaces/${namespace}/pods/${name}`;
}
