/**
 * core: run by `.ci/run` for each change. more: needs a second cluster, or builds images that `up` does not need.
 * machines: needs another machine, which it makes.
 */
export const groups = ['core', 'more', 'machines'] as const;
export type Group = (typeof groups)[number];

export interface Scenario {
  /** Name of the file without `.test.ts`. */
  readonly name: string;
  readonly group: Group;
}

/** In execution order. The scenarios share one cluster, and each first brings it to the state that it needs. */
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
  { name: 'agents', group: 'core' },
  { name: 'watch', group: 'core' },
  { name: 'dashboard', group: 'core' },
  { name: 'intercept', group: 'core' },
  { name: 'stopped-node', group: 'core' },
  { name: 'interrupted', group: 'core' },
  { name: 'data', group: 'core' },
  { name: 'databases', group: 'more' },
  { name: 'kills', group: 'more' },
  { name: 'disk-full', group: 'more' },
  { name: 'security', group: 'more' },
  { name: 'intercept-more', group: 'more' },
  { name: 'debug', group: 'more' },
  { name: 'partial', group: 'more' },
  { name: 'monitoring', group: 'more' },
  { name: 'existing-secret', group: 'more' },
  { name: 'why-more', group: 'more' },
  { name: 'autoscaling', group: 'more' },
  { name: 'nodes', group: 'more' },
  { name: 'environments', group: 'more' },
  { name: 'own-source', group: 'more' },
  { name: 'wealist', group: 'more' },
  { name: 'live', group: 'more' },
  { name: 'argocd', group: 'more' },
  { name: 'registry', group: 'more' },
  { name: 'faults', group: 'more' },
  { name: 'machines', group: 'machines' },
];
