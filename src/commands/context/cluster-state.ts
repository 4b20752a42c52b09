/** The states of a cluster, each with the words that follow its name in a message. */
const words = {
  running: 'is running',
  /** Its nodes run, its API server does not respond. */
  silent: 'does not respond',
  stopped: 'is stopped',
  paused: 'is paused',
  missing: 'does not exist',
  /** The container engine is missing or does not respond. */
  unknown: 'is in an unknown state',
} as const;

export type ClusterState = keyof typeof words;

export const clusterStates = Object.keys(words) as [ClusterState, ...ClusterState[]];

/** `is stopped`, to follow the cluster's name. */
export function toClusterWords(state: ClusterState): string {
  return words[state];
}
