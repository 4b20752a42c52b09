import { type Finding, toKubectlLine } from './finding.ts';
import type { Workload } from './pods.ts';
import { judgeService } from './service-finding.ts';
import type { Snapshot } from './snapshot.ts';
import { judge } from './verdict.ts';

/** What answers for the names of Services, in a cluster that kubeadm made. */
export const dns = {
  kind: 'Deployment',
  name: 'coredns',
  namespace: 'kube-system',
} as const satisfies Workload;

/** Why no name can be resolved in the cluster; undefined where it can, or where something else does it. */
export function judgeDns(snapshot: Snapshot): Finding | undefined {
  const { name, namespace } = dns;
  const verdict = judge(snapshot, dns);
  if (verdict.state === 'absent') return undefined;
  if (verdict.wanted === 0) {
    return {
      state: 'failed',
      line: `no name can be resolved: no pods of ${name} are wanted`,
      next: toKubectlLine(namespace, 'scale', `deployment/${name}`, '--replicas=2'),
    };
  }
  // One pod that answers is enough.
  if (verdict.state !== 'ready' && verdict.ready === 0) {
    const { state, line, evidence, log, next } = verdict;
    return {
      state: state === 'failed' ? 'failed' : 'waiting',
      line: `no name can be resolved: ${name} is not ready, ${line}`,
      ...(evidence === undefined ? {} : { evidence }),
      ...(log === undefined ? {} : { log }),
      next: next ?? toKubectlLine(namespace, 'describe', `deployment/${name}`),
    };
  }
  const service = snapshot.find('Service', 'kube-dns', namespace);
  if (service) return undefined;
  const finding = judgeService(snapshot, { ...dns, name: 'kube-dns' });
  return finding && { ...finding, next: toKubectlLine(namespace, 'get', 'services') };
}
