import type { App } from '../../cli/command.ts';
import { findCluster } from '../../cluster/ownership.ts';
import { Failure } from '../../lib/failure.ts';
import { findEngine } from '../../machine/engine.ts';
import { readHost } from '../../machine/host.ts';
import { findCheckoutId } from '../../state/checkout-id.ts';
import { createDocker } from '../../tools/docker/docker.ts';
import type { ClusterState } from './cluster-state.ts';

/** What the engine says of a cluster that gave no answer, or that nothing is known of. */
export async function findState(
  { paths, exec, signal }: Pick<App, 'paths' | 'exec' | 'signal'>,
  name: string,
  silence: string | undefined,
): Promise<{ readonly state: ClusterState; readonly evidence?: string }> {
  try {
    const [host, checkoutId] = await Promise.all([readHost(), findCheckoutId(paths)]);
    const engine = await findEngine(host, { signal });
    if (!engine) return { state: 'missing', evidence: 'there is no container engine' };
    const found = await findCluster(createDocker(engine, exec), name, signal);
    if (!found) return { state: 'missing' };
    if (found.owner === undefined || found.owner !== checkoutId) {
      return { state: 'missing', evidence: 'the one of that name is not of this checkout' };
    }
    if (found.state === 'paused') return { state: 'paused' };
    if (found.state !== 'running') return { state: 'stopped' };
    return {
      state: 'silent',
      evidence: silence ?? 'the way to it was lost, and is found again by npm run up',
    };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Failure) return { state: 'unknown', evidence: error.message };
    throw error;
  }
}
