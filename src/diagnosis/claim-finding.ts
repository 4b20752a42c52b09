import { parseQuantity, toAmount } from '../lib/quantity.ts';
import type { Claim, Pod } from '../tools/kubernetes/objects.ts';
import { findLastEvent } from './events.ts';
import { type Finding, toKubectlLine } from './finding.ts';
import type { Snapshot } from './snapshot.ts';

/** The program that makes kind's volumes. */
const provisioner = {
  kind: 'Deployment',
  name: 'local-path-provisioner',
  namespace: 'local-path-storage',
} as const;

/** The first volume claim of a pod that has no volume yet; undefined when all have. */
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
  if (!claim) return { state: 'waiting', line: `volume claim ${name} does not exist`, next };
  const { storageClassName, resources } = claim.spec;
  const said = findLastEvent(snapshot, claim, ({ reason }) => reason === 'ProvisioningFailed')?.message;
  if (said !== undefined && /^storageclass.* not found$/.test(said)) {
    const line = `StorageClass ${storageClassName} of volume claim ${name} does not exist`;
    return { state: 'failed', line, next: toKubectlLine(undefined, 'get', 'storageclasses') };
  }
  if (claim.status.phase === 'Lost') {
    return { state: 'failed', line: `the volume of claim ${name} is gone`, next };
  }
  const stopped = judgeProvisioner(snapshot, name);
  if (stopped) return stopped;
  const size = resources?.requests?.storage;
  const wanted = size === undefined ? '' : `, ${toAmount('ephemeral-storage', parseQuantity(size))}`;
  const line = `waiting for the volume of claim ${name}${wanted}`;
  return { state: 'waiting', line, ...(said === undefined ? {} : { evidence: said }), next };
}

/** Whether nobody makes volumes. */
function judgeProvisioner(snapshot: Snapshot, claim: string): Finding | undefined {
  const { kind, name, namespace } = provisioner;
  const found = snapshot.find(kind, name, namespace);
  if (!found || (found.status.readyReplicas ?? 0) > 0) return undefined;
  const wanted = found.spec.replicas ?? 1;
  return {
    state: wanted === 0 ? 'failed' : 'waiting',
    line: `volume claim ${claim} waits, since ${name} does not run: ${wanted === 0 ? 'no pods of it are wanted' : `0 of ${wanted} pods ready`}`,
    next:
      wanted === 0
        ? toKubectlLine(namespace, 'scale', `deployment/${name}`, '--replicas=1')
        : toKubectlLine(namespace, 'describe', 'pods'),
  };
}
