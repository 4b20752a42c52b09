import type { Release } from '../../src/cluster/releases.ts';
import { exitCodes, Failure } from '../../src/lib/failure.ts';
import type { Helm } from '../../src/tools/helm.ts';

interface Revision {
  readonly revision: number;
  readonly status: string;
}

const refuse = (cause: string) => {
  throw new Failure('helm refused release redis', { cause, exitCode: exitCodes.helm });
};

/**
 * Helm 3.22 with one release, `redis` in `wealist`, and its refusals (`pkg/action/upgrade.go`, `rollback.go`,
 * `uninstall.go`). `history` is its revisions, the oldest first.
 */
export function createFakeHelm(history: readonly Revision[]) {
  let revisions = [...history];
  const calls: string[] = [];
  const last = () => revisions.at(-1);
  const add = (status: string) => revisions.push({ revision: (last()?.revision ?? 0) + 1, status });

  const helm: Pick<Helm, 'upgrade' | 'rollback' | 'uninstall'> = {
    async upgrade() {
      calls.push('upgrade');
      const status = last()?.status;
      if (status === undefined) {
        add('deployed');
        return;
      }
      if (status.startsWith('pending-'))
        refuse('another operation (install/upgrade/rollback) is in progress');
      // It takes the revision that is last by name for the newest, so an uninstalled one may be overlooked.
      const byName = revisions.toSorted((a, b) => `v${a.revision}`.localeCompare(`v${b.revision}`)).at(-1);
      const isInstalled = byName?.status !== 'uninstalled';
      const isUpgradable =
        ['failed', 'superseded'].includes(status) || revisions.some((each) => each.status === 'deployed');
      if (isInstalled && !isUpgradable) refuse('"redis" has no deployed releases');
      revisions = revisions.map((each) =>
        each.status === 'deployed' ? { ...each, status: 'superseded' } : each,
      );
      add('deployed');
    },
    async rollback() {
      calls.push('rollback');
      const previous = (last()?.revision ?? 0) - 1;
      if (!revisions.some(({ revision }) => revision === previous))
        refuse(`release has no ${previous} version`);
      add('deployed');
    },
    async uninstall() {
      calls.push('uninstall');
      if (revisions.length === 0) refuse('release: not found');
      revisions = [];
    },
  };

  return {
    helm: helm as Helm,
    calls,
    status: () => last()?.status,
    async releases(): Promise<readonly Release[]> {
      const newest = last();
      return newest ? [{ name: 'redis', namespace: 'wealist', inputs: undefined, ...newest }] : [];
    },
  };
}
