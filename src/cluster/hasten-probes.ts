import { setTimeout as sleep } from 'node:timers/promises';
import { ApiFailure, type ApiServer } from '../tools/api-server.ts';
import { isPodReady, type Pod } from '../tools/kubernetes.ts';
import type { ServicePlace } from './service-snapshot.ts';

/** Milliseconds between two looks, and for which a pod is hastened: who starts more slowly than that loses little. */
const every = 100;
const patience = 3_000;

/** On a pod, and of no meaning but that its value is another one. */
const annotation = 'wealist.local/hastened';

/**
 * Has the node probe starting pods of a service again and again, until the signal is aborted. It probes a container as
 * soon as that runs, which is before its program listens, and after that each second; but a change of the pod makes it
 * probe at once (kubelet, pkg/kubelet/prober/prober_manager.go: UpdatePodStatus triggers a run of what is not ready).
 */
export async function hastenProbes(
  api: Pick<ApiServer, 'get' | 'patch'>,
  { namespace, name }: ServicePlace,
  signal: AbortSignal,
): Promise<never> {
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const query = new URLSearchParams({ labelSelector: `app.kubernetes.io/name=${name}` });
  for (;;) {
    try {
      const { items } = await api.get<{ readonly items: readonly Pod[] }>(`${path}?${query}`, signal);
      await Promise.all(
        items
          .filter((pod) => isStarting(pod))
          .map(({ metadata }) =>
            api.patch(
              `${path}/${metadata.name}`,
              { metadata: { annotations: { [annotation]: String(Date.now()) } } },
              signal,
            ),
          ),
      );
    } catch (error) {
      // A pod that has gone meanwhile, or a cluster that is silent: that is for who waits for the pods.
      if (!(error instanceof ApiFailure)) throw error;
    }
    await sleep(every, undefined, { signal });
  }
}

/** All its containers run, one of them has not been ready yet, and not for long. */
function isStarting(pod: Pod): boolean {
  const { containerStatuses: containers = [] } = pod.status;
  const started = containers.map(({ state }) => Date.parse(state?.running?.startedAt ?? ''));
  const isYoung = started.every((at) => Date.now() - at < patience);
  return containers.length > 0 && isYoung && !isPodReady(pod) && pod.metadata.deletionTimestamp === undefined;
}
