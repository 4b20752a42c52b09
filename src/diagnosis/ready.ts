import { setTimeout as sleep } from 'node:timers/promises';
import { toDuration } from '../lib/duration.ts';
import { CommandFailure, exitCodes, Failure } from '../lib/failure.ts';
import type { Run } from '../plan/plan.ts';
import { isConnectionLost } from '../tools/kubernetes/api-server.ts';
import type { KubectlReader } from '../tools/kubernetes/kubectl.ts';
import type { LogReference } from './finding.ts';
import type { Workload } from './pods.ts';
import type { Snapshots } from './snapshot.ts';
import { judge, toProgress, type Verdict } from './verdict.ts';

export interface ReadyOptions {
  readonly snapshots: Snapshots;
  /** Reads the last lines of a container that crashed. */
  readonly kubectl: Pick<KubectlReader, 'logs'>;
  /** Milliseconds until the wait gives up. */
  readonly timeout: number;
  /** Milliseconds between two snapshots; waits that run at the same time share them. */
  readonly interval: number;
  /** Milliseconds since the epoch: earlier failures do not count. The current time by default. */
  readonly since?: number;
  readonly run: Run;
}

/** Milliseconds that the API server may be unreachable, as while it restarts. */
const unreachableTimeout = 30_000;

/** How many log lines of a crashed container are shown. */
const logLines = 30;

/**
 * Waits until the workload has only pods of its newest revision and they are ready, or the Job is complete. Ends at once
 * on a failure that the cluster does not recover from.
 * @throws {Failure} exit code 8: its cause is the last verdict with its evidence, its hint the command to go on with.
 */
export async function waitUntilReady(workload: Workload, options: ReadyOptions): Promise<void> {
  const { timeout, interval, run } = options;
  const { since = Date.now() } = options;
  const end = performance.now() + timeout;
  let responded = performance.now();
  let last: Verdict | undefined;
  for (let maxAge = 0; ; maxAge = interval) {
    try {
      const snapshot = await options.snapshots.take(run.signal, { maxAge });
      responded = performance.now();
      last = judge(snapshot, workload, { since });
      if (last.state === 'ready') return;
      if (last.state !== 'waiting') throw await describe(workload, last, '', options);
      run.report(toProgress(last));
    } catch (error) {
      run.signal.throwIfAborted();
      if (!isConnectionLost(error) || performance.now() - responded > unreachableTimeout) throw error;
      run.report('the cluster does not respond');
    }
    if (performance.now() >= end) throw await describe(workload, last, ` in ${toDuration(timeout)}`, options);
    await sleep(interval, undefined, { signal: run.signal });
  }
}

async function describe(
  { name }: Workload,
  verdict: Verdict | undefined,
  limit: string,
  { kubectl, run }: ReadyOptions,
): Promise<Failure> {
  const log = verdict?.log && (await readLastLines(kubectl, verdict.log, run.signal));
  const cause = [verdict?.line ?? 'the cluster did not respond', verdict?.evidence, log].filter(
    (text) => !!text,
  );
  return new Failure(`${name} did not become ready${limit}`, {
    cause: cause.join('\n'),
    hint: verdict?.next ?? 'npm run status',
    exitCode: exitCodes.workload,
  });
}

/** The last lines of a container's log; undefined when the container no longer exists. */
export async function readLastLines(
  kubectl: Pick<KubectlReader, 'logs'>,
  { namespace, pod, container, previous }: LogReference,
  signal: AbortSignal,
  lines = logLines,
): Promise<string | undefined> {
  const flags = [`--tail=${lines}`, ...(previous ? ['--previous'] : [])];
  const words = [`--namespace=${namespace}`, pod, `--container=${container}`, ...flags];
  try {
    return (await kubectl.logs(words, signal)).trimEnd();
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof CommandFailure) return undefined;
    throw error;
  }
}
