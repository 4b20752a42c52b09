import { withDeadline } from '../lib/deadline.ts';
import { Failure } from '../lib/failure.ts';

/** What helps against errors of a kubelet; the first match counts. */
const hints: readonly { readonly pattern: RegExp; readonly hint: string }[] = [
  { pattern: /missing controllers/, hint: 'npm run doctor' },
  { pattern: /cgroup v1/, hint: 'start Linux with systemd.unified_cgroup_hierarchy=1' },
  { pattern: /running with swap on/, hint: 'sudo swapoff --all' },
  { pattern: /too many open files|inotify/, hint: 'npm run doctor -- --fix' },
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
export async function explainByKubelet(
  failure: unknown,
  { nodes, findError, signal, timeout = 10_000 }: KubeletQuestion,
): Promise<unknown> {
  if (!(failure instanceof Failure)) return failure;
  for (const node of nodes) {
    // A node that does not run says nothing.
    const cause = await withDeadline({ timeout, signal }, (limited) => findError(node, limited)).catch(() => {
      signal.throwIfAborted();
    });
    if (cause === undefined) continue;
    const hint = hints.find(({ pattern }) => pattern.test(cause))?.hint;
    return new Failure(`${failure.message}: the kubelet of ${node} does not start`, {
      cause,
      hint: hint ?? `docker exec ${node} journalctl --unit=kubelet --no-pager`,
      exitCode: failure.exitCode,
    });
  }
  return failure;
}
