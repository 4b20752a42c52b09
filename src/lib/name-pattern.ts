/** The longest name of a cluster: the names of its nodes, which Kubernetes limits to 63 characters, begin with it. */
export const clusterNameLength = 49;

/** What a name of Kubernetes looks like that is at most this long. */
export function toNamePattern(length: number): RegExp {
  return new RegExp(`^[a-z]([-a-z0-9]{0,${length - 2}}[a-z0-9])?$`);
}
