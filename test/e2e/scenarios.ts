/** core: `.ci/run` runs it at each change. more: whatever takes a second cluster or builds what no `up` needs. */
export type Group = 'core' | 'more';

export interface Scenario {
  /** Its file, without `.test.ts`. */
  readonly name: string;
  readonly group: Group;
}

/** In the order in which they run: they share one cluster, and each brings it to where it can begin. */
export const scenarios: readonly Scenario[] = [
  { name: 'up', group: 'core' },
  { name: 'page', group: 'core' },
  { name: 'platform', group: 'core' },
  { name: 'daily', group: 'core' },
  { name: 'policies', group: 'core' },
  { name: 'refusals', group: 'core' },
  { name: 'failing', group: 'core' },
  { name: 'why', group: 'core' },
  { name: 'reload', group: 'core' },
  { name: 'watch', group: 'core' },
  { name: 'stopped-node', group: 'core' },
  { name: 'interrupted', group: 'core' },
  { name: 'data', group: 'core' },
  { name: 'databases', group: 'more' },
  { name: 'partial', group: 'more' },
  { name: 'monitoring', group: 'more' },
  { name: 'existing-secret', group: 'more' },
  { name: 'why-more', group: 'more' },
  { name: 'autoscaling', group: 'more' },
  { name: 'nodes', group: 'more' },
  { name: 'environments', group: 'more' },
  { name: 'own-source', group: 'more' },
  { name: 'argocd', group: 'more' },
  { name: 'registry', group: 'more' },
];
