import { setTimeout as sleep } from 'node:timers/promises';
import { CommandFailure } from '../lib/failure.ts';
import type { Run } from '../plan/plan.ts';
import { OutageFailure } from '../tools/helm.ts';
import { isRestarting } from '../tools/kubernetes/api-failures.ts';
import { ApiFailure } from '../tools/kubernetes/api-server.ts';

/** Milliseconds for which a restart of the API server is waited out. */
const outageTimeout = 60_000;

/**
 * Repeats `work` while the API server, or a webhook that it asks, is gone, as during a restart. What helm left half done is
 * settled by the next attempt.
 */
export async function throughOutages(work: () => Promise<void>, run: Run, interval = 1_000): Promise<void> {
  let since: number | undefined;
  for (;;) {
    const begun = performance.now();
    try {
      return await work();
    } catch (error) {
      run.signal.throwIfAborted();
      const failed = performance.now();
      // What had worked for so long before it failed has met another outage.
      if (since === undefined || failed - begun > outageTimeout) since = failed;
      if (!isOutage(error) || failed - since >= outageTimeout) throw error;
      run.report('the cluster does not respond');
      await sleep(interval, undefined, { signal: run.signal });
    }
  }
}

function isOutage(error: unknown): boolean {
  if (error instanceof ApiFailure) return error.isRestarting;
  return error instanceof OutageFailure || (error instanceof CommandFailure && isRestarting(error.stderr));
}
