import type { Workload } from '../../diagnosis/pods.ts';
import type { Snapshots } from '../../diagnosis/snapshot.ts';
import { judge } from '../../diagnosis/verdict.ts';
import type { RetryOutcome } from '../../forward/retry.ts';
import { isTimeout, withDeadline } from '../../lib/deadline.ts';
import { CommandFailure } from '../../lib/failure.ts';

/** Milliseconds within which the cluster must respond. */
const timeout = 5_000;

/** Why a workload does not respond, in lines: the problem, its evidence, the command to run next. */
export async function explainUnavailable(
  workload: Workload,
  why: Exclude<RetryOutcome, 'served'>,
  snapshots: Snapshots,
  signal: AbortSignal,
): Promise<string> {
  const { name } = workload;
  try {
    const snapshot = await withDeadline({ timeout: timeout, signal }, (limited) =>
      snapshots.take(limited, { maxAge: 1_000 }),
    );
    const { state, line, evidence, next = 'npm run status' } = judge(snapshot, workload);
    if (state === 'ready') return `${name} is ready, but did not respond in time\n${next}`;
    const many = why === 'full' ? ', and too many connections wait already' : '';
    return [`${name} is not ready${many}: ${line}`, ...(evidence === undefined ? [] : [evidence]), next].join(
      '\n',
    );
  } catch (error) {
    signal.throwIfAborted();
    if (!isTimeout(error) && !(error instanceof CommandFailure)) throw error;
    return `the cluster does not respond\nnpm run status`;
  }
}
