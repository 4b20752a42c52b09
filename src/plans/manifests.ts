import type { PodSecurity } from '../config/helm-values.ts';
import { volumesOnNode } from '../config/kind-cluster.ts';

/** The StorageClass that the volume claims of local-kind name. */
const storageClass = 'wealist-data';

/** A level of the Pod Security Standards; those of an environment's own namespace exclude `privileged`. */
export type PodSecurityLevel = PodSecurity | 'privileged';

/** A namespace that enforces a Pod Security Standard. */
export function namespaceManifest(name: string, level: PodSecurityLevel) {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name,
      labels: {
        'app.kubernetes.io/managed-by': 'wealist-local',
        'pod-security.kubernetes.io/enforce': level,
        'pod-security.kubernetes.io/warn': level,
        'pod-security.kubernetes.io/audit': level,
      },
    },
  };
}

/**
 * Volumes are folders of this machine with one fixed path per claim, so that a recreated cluster finds the previous
 * data. kind's own class has the volume's UID in the path; the provisioner is the same, so any node image supports this.
 */
export function storageClassManifest() {
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: storageClass },
    provisioner: 'rancher.io/local-path',
    parameters: { pathPattern: '{{ .PVC.Namespace }}/{{ .PVC.Name }}' },
    reclaimPolicy: 'Retain',
    volumeBindingMode: 'WaitForFirstConsumer',
  };
}

/** A folder of the nodes as the volume of one claim. It has no size, so it says more than any claim requests. */
export function volumeManifest(namespace: string, claim: string) {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: {
      name: `${namespace}-${claim}`,
      labels: { 'app.kubernetes.io/managed-by': 'wealist-local' },
    },
    spec: {
      capacity: { storage: '1Ti' },
      accessModes: ['ReadWriteOnce'],
      storageClassName: storageClass,
      persistentVolumeReclaimPolicy: 'Retain',
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name: claim },
      hostPath: { path: `${volumesOnNode}/${namespace}/${claim}`, type: 'Directory' },
    },
  };
}
