/** The versions of the tools and of Kubernetes, in one place. Each was run together with the others. */
export const versions = {
  /** The newest minor whose kubelet runs on cgroup v1 without a flag; the patch is the newest on the Go proxy. */
  kubernetes: '1.34.4',
  kind: '0.33.0',
  helm: '3.22.0',
} as const;
