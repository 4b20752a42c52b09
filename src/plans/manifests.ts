/** The name that claims of local-kind ask for. */
const storageClass = 'wealist-data';

/** A level of the Pod Security Standards. */
export type PodSecurity = 'restricted' | 'baseline' | 'privileged';

/** A namespace whose pods must keep to a Pod Security Standard. */
export function namespaceManifest(name: string, level: PodSecurity) {
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
 * Volumes as folders of this machine, one path per claim: a cluster that is made anew finds the data of the last one.
 * kind's own class puts the volume's uid into the path; the provisioner is the same, so this works on any node image.
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
