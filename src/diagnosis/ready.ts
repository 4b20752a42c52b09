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
  /** For the last lines of what crashed. */
  readonly kubectl: Pick<KubectlReader, 'logs'>;
  /** Milliseconds until the wait gives up. */
  readonly timeout: number;
  /** Milliseconds between two questions; who waits beside this one shares the answers. */
  readonly interval: number;
  /** Milliseconds since the epoch: what went wrong before does not count. Now, unless it is said. */
  readonly since?: number;
  readonly run: Run;
}

/** Milliseconds for which the cluster may leave questions without an answer: an API server that starts anew. */
const silence = 30_000;

/** Lines of a crashed program that are shown. */
const logLines = 30;

/**
 * Waits until the workload's newest revision is all there is of it and ready, or the Job complete. Ends at once on what
 * cannot heal.
 * @throws {Failure} exit code 8: the cause is what was seen last and its evidence, the hint a command to go on with.
 */
export async function waitUntilReady(workload: Workload, options: ReadyOptions): Promise<void> {
  const { timeout, interval, run } = options;
  const { since = Date.now() } = options;
  const end = performance.now() + timeout;
  let answered = performance.now();
  let last: Verdict | undefined;
  for (let maxAge = 0; ; maxAge = interval) {
    try {
      const snapshot = await options.snapshots.take(run.signal, { maxAge });
      answered = performance.now();
      last = judge(snapshot, workload, { since });
      if (last.state === 'ready') return;
      if (last.state !== 'waiting') throw await describe(workload, last, '', options);
      run.report(toProgress(last));
    } catch (error) {
      run.signal.throwIfAborted();
      if (!isConnectionLost(error) || performance.now() - answered > silence) throw error;
      run.report('the cluster does not answer');
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
  const cause = [verdict?.line ?? 'the cluster did not answer', verdict?.evidence, log].filter(
    (text) => !!text,
  );
  return new Failure(`${name} did not become ready${limit}`, {
    cause: cause.join('\n'),
    hint: verdict?.next ?? 'npm run status',
    exitCode: exitCodes.workload,
  });
}

/** The end of a container's log; undefined when it is gone with its pod. */
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
