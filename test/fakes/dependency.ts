import type { Dependency } from '../../services/common/dependency.ts';

/** A dependency whose state the test sets; `silent` never responds. */
export interface FakeDependency extends Dependency {
  state: 'up' | 'down' | 'silent';
  closed: boolean;
}

export function fakeDependency(
  name: string,
  state: FakeDependency['state'] = 'up',
  kind: Dependency['kind'] = 'store',
): FakeDependency {
  return {
    name,
    kind,
    state,
    closed: false,
    async probe() {
      if (this.state === 'down') throw new Error(`${name} refused`);
      if (this.state === 'silent') await new Promise(() => {});
    },
    async close() {
      this.closed = true;
    },
  };
}
