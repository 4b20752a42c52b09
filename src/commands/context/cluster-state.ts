/** How a cluster can be found, and what a person is told of it. */
const words = {
  running: 'runs',
  /** Its node runs, its API server does not answer. */
  silent: 'does not answer',
  stopped: 'is stopped',
  paused: 'is paused',
  missing: 'does not exist',
  /** There is no container engine to ask, or it does not answer. */
  unknown: 'cannot be looked for',
} as const;

export type ClusterState = keyof typeof words;

export const clusterStates = Object.keys(words) as [ClusterState, ...ClusterState[]];

/** What follows the cluster's name: `is stopped`. */
export function toClusterWords(state: ClusterState): string {
  return words[state];
}
