import type { PodSecurity } from '../config/helm-values.ts';

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
