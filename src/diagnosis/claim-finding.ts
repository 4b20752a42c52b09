import { parseQuantity, toAmount } from '../lib/quantity.ts';
import type { Claim, Pod } from '../tools/kubernetes/objects.ts';
import { findLastEvent } from './events.ts';
import { type Finding, toKubectlLine } from './finding.ts';
import type { Snapshot } from './snapshot.ts';

/** The workload that provisions kind's volumes. */
const provisioner = {
  kind: 'Deployment',
  name: 'local-path-provisioner',
  namespace: 'local-path-storage',
} as const;

/** What is wrong with the first PersistentVolumeClaim of a pod that is not bound; undefined when all are bound. */
export function judgeClaims(snapshot: Snapshot, pod: Pod): Finding | undefined {
  const { namespace } = pod.metadata;
  for (const { persistentVolumeClaim } of pod.spec.volumes ?? []) {
    if (!persistentVolumeClaim) continue;
    const { claimName } = persistentVolumeClaim;
    const claim = snapshot.find('PersistentVolumeClaim', claimName, namespace);
    if (claim?.status.phase !== 'Bound') return judgeClaim(snapshot, claimName, namespace, claim);
  }
  return undefined;
}

function judgeClaim(
  snapshot: Snapshot,
  name: string,
  namespace: string | undefined,
  claim: Claim | undefined,
): Finding {
  const next = toKubectlLine(namespace, 'describe', 'pvc', name);
  if (!claim) return { state: 'waiting', line: `PersistentVolumeClaim ${name} does not exist`, next };
  const { storageClassName, resources } = claim.spec;
  const message = findLastEvent(snapshot, claim, ({ reason }) => reason === 'ProvisioningFailed')?.message;
  if (message !== undefined && /^storageclass.* not found$/.test(message)) {
    const line = `StorageClass ${storageClassName} of PersistentVolumeClaim ${name} does not exist`;
    return { state: 'failed', line, next: toKubectlLine(undefined, 'get', 'storageclasses') };
  }
  if (claim.status.phase === 'Lost') {
    return {
      state: 'failed',
      line: `PersistentVolumeClaim ${name} is Lost: its volume no longer exists`,
      next,
    };
  }
  const unprovisioned = judgeProvisioner(snapshot, name);
  if (unprovisioned) return unprovisioned;
  const size = resources?.requests?.storage;
  const wanted = size === undefined ? '' : ` of ${toAmount('ephemeral-storage', parseQuantity(size))}`;
  const line = `PersistentVolumeClaim ${name} is Pending, waiting for a volume${wanted}`;
  return { state: 'waiting', line, ...(message === undefined ? {} : { evidence: message }), next };
}

/** Why no volumes are provisioned; undefined when the provisioner is ready. */
function judgeProvisioner(snapshot: Snapshot, claim: string): Finding | undefined {
  const { kind, name, namespace } = provisioner;
  const found = snapshot.find(kind, name, namespace);
  if (!found || (found.status.readyReplicas ?? 0) > 0) return undefined;
  const wanted = found.spec.replicas ?? 1;
  return {
    state: wanted === 0 ? 'failed' : 'waiting',
    line: `PersistentVolumeClaim ${claim} is Pending: ${name} is ${wanted === 0 ? 'scaled to 0 replicas' : `not ready, 0 of ${wanted} pods ready`}`,
    next:
      wanted === 0
        ? toKubectlLine(namespace, 'scale', `deployment/${name}`, '--replicas=1')
        : toKubectlLine(namespace, 'describe', 'pods'),
  };
}
