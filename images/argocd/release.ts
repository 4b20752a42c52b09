/**
 * The newest Argo CD whose dependencies are all published as Go modules and compile with Go 1.26; its Kubernetes client
 * is that of our clusters, 1.34. 3.2.12 calls a function that does not exist, 3.3 to 3.5 replace a module by a folder of
 * their repository, and 3.6 requires Go 1.27.
 */
export const argocdVersion = '3.2.11';

/** Folder of the resource definitions, in the repository and in the Go module. */
export const definitionsFolder = 'manifests/crds';

/** The resource definitions that the components here use, with the SHA-256 of their files. */
export const definitions = [
  {
    name: 'applications.argoproj.io',
    file: 'application-crd.yaml',
    sha256: '8f7ab4fc146af169e1033a97ea55ad77687b98d7ba95bf39f286ab751e7504f3',
  },
  {
    name: 'appprojects.argoproj.io',
    file: 'appproject-crd.yaml',
    sha256: 'd3b1e7d1c88146d6476d6458c824fea85aac56c1129f7d9c97acca14d98f76ad',
  },
] as const;

/** The Go module that Argo CD is built from. */
export const argocdModule = { path: 'github.com/argoproj/argo-cd/v3', version: `v${argocdVersion}` } as const;
