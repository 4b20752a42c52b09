import { type Finding, toKubectlLine } from './finding.ts';
import type { Workload } from './pods.ts';
import { judgeService } from './service-finding.ts';
import type { Snapshot } from './snapshot.ts';
import { judge } from './verdict.ts';

/** The DNS server of a cluster that kubeadm created. */
export const dns = {
  kind: 'Deployment',
  name: 'coredns',
  namespace: 'kube-system',
} as const satisfies Workload;

/** Why the cluster's DNS is unavailable; undefined when it is available, or when it is not CoreDNS. */
export function judgeDns(snapshot: Snapshot): Finding | undefined {
  const { name, namespace } = dns;
  const verdict = judge(snapshot, dns);
  if (verdict.state === 'absent') return undefined;
  if (verdict.wanted === 0) {
    return {
      state: 'failed',
      line: `DNS unavailable: ${name} is scaled to 0 replicas`,
      next: toKubectlLine(namespace, 'scale', `deployment/${name}`, '--replicas=2'),
    };
  }
  // One ready pod is enough.
  if (verdict.state !== 'ready' && verdict.ready === 0) {
    const { state, line, evidence, log, next } = verdict;
    return {
      state: state === 'failed' ? 'failed' : 'waiting',
      line: `DNS unavailable: ${name} is not ready, ${line}`,
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
