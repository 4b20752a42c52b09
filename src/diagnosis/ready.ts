import { setTimeout as sleep } from 'node:timers/promises';
import { toDuration } from '../lib/duration.ts';
import { CommandFailure, exitCodes, Failure } from '../lib/failure.ts';
import type { Run } from '../plan/plan.ts';
import { isConnectionLost } from '../tools/kubernetes/api-server.ts';
import type { KubectlReader } from '../tools/kubernetes/kubectl.ts';
import type { LogReference } from './finding.ts';
import type { Workload } from './pods.ts';
import { createLogProgress, describeReached } from './progress.ts';
import type { Snapshot, Snapshots } from './snapshot.ts';
import { judge, toProgress, type Verdict } from './verdict.ts';

export interface ReadyOptions {
  readonly snapshots: Snapshots;
  /** Reads the last lines of a container that crashed. */
  readonly kubectl: Pick<KubectlReader, 'logs'>;
  /** Milliseconds without progress until the wait gives up. */
  readonly stallTimeout: number;
  /** Milliseconds between two snapshots; waits that run at the same time share them. */
  readonly interval: number;
  /** Milliseconds since the epoch: earlier failures do not count. The current time by default. */
  readonly since?: number;
  readonly run: Run;
  /** Milliseconds of a clock that only goes forward. */
  readonly now?: () => number;
}

/** Milliseconds that the API server may be unreachable, as while it restarts. */
const unreachableTimeout = 90_000;

/** Milliseconds without another sign of progress after which the log is read, and between two reads. */
const logInterval = 15_000;

/** How many log lines are compared with those that were read before. */
const comparedLines = 200;

/** How many log lines of a crashed container are shown. */
const logLines = 30;

/**
 * Waits until the workload has only pods of its newest revision and they are ready, or the Job is complete. A slow one is
 * waited for as long as it makes progress, by its pods or new lines of its log. Ends at once on a failure that the
 * cluster does not recover from.
 * @throws {Failure} exit code 8: its cause is the last verdict with its evidence, its hint the command to go on with.
 */
export async function waitUntilReady(workload: Workload, options: ReadyOptions): Promise<void> {
  const { stallTimeout, interval, run, since = Date.now(), now = () => performance.now() } = options;
  const progress = createProgress(workload, options, now);
  let responded = now();
  let last: Verdict | undefined;
  for (let maxAge = 0; ; maxAge = interval) {
    try {
      const snapshot = await options.snapshots.take(run.signal, { maxAge });
      responded = now();
      last = judge(snapshot, workload, { since });
      if (last.state === 'ready') return;
      if (last.state !== 'waiting') throw await describe(workload, last, '', options);
      run.report(toProgress(last));
      await progress.update(snapshot, last);
    } catch (error) {
      run.signal.throwIfAborted();
      if (!isConnectionLost(error) || now() - responded > unreachableTimeout) throw error;
      run.report('the cluster does not respond');
    }
    if (progress.stalledFor() >= stallTimeout) {
      throw await describe(workload, last, `: no progress for ${toDuration(stallTimeout)}`, options);
    }
    await sleep(interval, undefined, { signal: run.signal });
  }
}

/** Measures for how long a workload has made no progress. */
function createProgress(workload: Workload, { kubectl, run }: ReadyOptions, now: () => number) {
  let reached: string | undefined;
  let lastProgress = now();
  let log: LogReference | undefined;
  let lastRead = now();
  const hasNewLines = createLogProgress(
    async () => log && readLastLines(kubectl, log, run.signal, comparedLines),
  );

  return {
    stalledFor: () => now() - lastProgress,
    async update(snapshot: Snapshot, verdict: Verdict): Promise<void> {
      const before = reached;
      reached = describeReached(snapshot, workload);
      if (reached !== before) lastProgress = now();
      if (now() - Math.max(lastProgress, lastRead) < logInterval) return;
      lastRead = now();
      log = verdict.log;
      if (await hasNewLines()) lastProgress = now();
    },
  };
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
