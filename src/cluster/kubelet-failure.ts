import { setTimeout as sleep } from 'node:timers/promises';
import { withDeadline } from '../lib/deadline.ts';
import { type ExitCode, exitCodes, Failure } from '../lib/failure.ts';

/** What helps against errors of a kubelet; the first match counts. */
const hints: readonly { readonly pattern: RegExp; readonly hint: string }[] = [
  { pattern: /missing controllers/, hint: 'npm run doctor' },
  { pattern: /cgroup v1/, hint: 'start Linux with systemd.unified_cgroup_hierarchy=1' },
  { pattern: /running with swap on/, hint: 'sudo swapoff --all' },
  { pattern: /too many open files|inotify/, hint: 'npm run doctor -- --fix' },
  {
    // On btrfs and ZFS, whose devices the kubelet does not find: https://kind.sigs.k8s.io/docs/user/known-issues/
    pattern: /in cached partitions map/,
    hint: 'add to kubeadmConfigPatches in kind/cluster.yaml: a KubeletConfiguration with localStorageCapacityIsolation: false',
  },
  { pattern: /no space left on device/, hint: 'npm run images -- prune' },
];

export interface KubeletQuestion {
  /** The node containers. */
  readonly nodes: readonly string[];
  /** Why the kubelet of a node does not run; undefined when it does. */
  readonly findError: (node: string, signal: AbortSignal) => Promise<string | undefined>;
  readonly signal: AbortSignal;
  /** Milliseconds for the response of each node. */
  readonly timeout?: number;
}

/**
 * A failed creation with the error of the first kubelet that does not run as its cause, instead of kubeadm's, which only
 * waited for it. The failure itself when all kubelets run or cannot be asked.
 */
export async function explainByKubelet(failure: unknown, question: KubeletQuestion): Promise<unknown> {
  if (!(failure instanceof Failure) || failure instanceof KubeletFailure) return failure;
  const found = await findStopped(question);
  return found ? toFailure(failure.message, failure.exitCode, found) : failure;
}

export interface KubeletWatch extends KubeletQuestion {
  /** What fails when a kubelet does not run: `kind did not create the cluster`. */
  readonly what: string;
  /** Milliseconds before the first question: a cluster is usually created by then. */
  readonly delay?: number;
  /** Milliseconds between two questions. */
  readonly interval?: number;
}

/** How often in a row a kubelet must have the same error: one that only starts slowly has several, or none. */
const repetitions = 3;

/**
 * Runs `work`, and ends it when the kubelet of a node keeps ending with the same error: kubeadm would wait for it for
 * four minutes. @throws {Failure} exit code 5 with that error as the cause.
 */
export async function whileKubeletsRun<T>(
  { what, delay = 40_000, interval = 5_000, ...question }: KubeletWatch,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const [ended, stopped] = [new AbortController(), new AbortController()];
  const { signal } = question;
  const watch = async () => {
    const watched = AbortSignal.any([signal, ended.signal]);
    const errors: string[] = [];
    await sleep(delay, undefined, { signal: watched });
    for (;;) {
      const found = await findStopped({ ...question, signal: watched });
      if (!found || found.cause !== errors[0]) errors.length = 0;
      if (found) errors.push(found.cause);
      if (found && errors.length === repetitions)
        return stopped.abort(toFailure(what, exitCodes.cluster, found));
      await sleep(interval, undefined, { signal: watched });
    }
  };
  // Aborted when the work has ended.
  const watching = watch().catch(() => {});
  try {
    return await work(AbortSignal.any([signal, stopped.signal]));
  } finally {
    ended.abort();
    await watching;
  }
}

interface Stopped {
  readonly node: string;
  readonly cause: string;
}

/** The first node whose kubelet does not keep running. */
async function findStopped({
  nodes,
  findError,
  signal,
  timeout = 20_000,
}: KubeletQuestion): Promise<Stopped | undefined> {
  for (const node of nodes) {
    // A node that does not run says nothing.
    const cause = await withDeadline({ timeout, signal }, (limited) => findError(node, limited)).catch(() => {
      signal.throwIfAborted();
    });
    if (cause !== undefined) return { node, cause };
  }
  return undefined;
}

/** What failed because a kubelet does not run. */
class KubeletFailure extends Failure {}

function toFailure(what: string, exitCode: ExitCode, { node, cause }: Stopped): Failure {
  const hint = hints.find(({ pattern }) => pattern.test(cause))?.hint;
  return new KubeletFailure(`${what}: the kubelet of ${node} does not start`, {
    cause,
    hint: hint ?? `docker exec ${node} journalctl --unit=kubelet --no-pager`,
    exitCode,
  });
}
