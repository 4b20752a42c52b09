import { computed, signal } from '@preact/signals';
import type { DashboardState, PartView, RunView } from '../src/dashboard/dashboard-state.ts';

/** `ended`: the program does not respond, and is tried again. `no-token`: this tab was opened without one. */
export type Connection = 'connecting' | 'open' | 'ended' | 'no-token' | 'other-version';

export const connection = signal<Connection>('connecting');

/** What the program has sent last; undefined before the first snapshot. */
export const state = signal<DashboardState | undefined>(undefined);

/** Patches that this tab was too slow for, as counted by the program. */
export const skippedPatches = signal(0);

/** Milliseconds since the epoch, every few seconds: ages follow it. */
export const now = signal(Date.now());

/** Whether what is shown is how it is now. Otherwise nothing is called ready. */
export const isCurrent = computed(
  () => connection.value === 'open' && state.value?.cluster.state === 'running',
);

export const isReadOnly = computed(() => state.value?.environment.readOnly ?? true);

export const parts = computed<readonly PartView[]>(() => Object.values(state.value?.parts ?? {}));

export const services = computed(() => parts.value.filter(({ kind }) => kind === 'service'));

export const runs = computed<readonly RunView[]>(() =>
  Object.values(state.value?.runs ?? {}).toSorted((one, other) => (one.id < other.id ? 1 : -1)),
);

/** What needs attention first; what is as it should be last. */
const ranks: Readonly<Record<PartView['state'], number>> = {
  ...{ failed: 0, waiting: 1, absent: 2, ready: 4, unknown: 4 },
};

function toRank({ state: found, freshness, intercepted }: PartView): number {
  if (found !== 'ready') return ranks[found];
  return freshness?.state === 'stale' || intercepted !== undefined ? 3 : ranks.ready;
}

/** Problems first, each group in the order of the configuration. */
export function toProblemOrder(list: readonly PartView[]): readonly PartView[] {
  return list.toSorted((one, other) => toRank(one) - toRank(other));
}

export const counts = computed(() => {
  const all = parts.value.filter(({ kind }) => kind !== 'job');
  return {
    ready: all.filter((part) => part.state === 'ready').length,
    all: all.length,
    stale: all.filter(({ freshness }) => freshness?.state === 'stale').length,
  };
});

/** The last `reload` of a service, whoever started it. */
export function findLastReload(service: string): RunView | undefined {
  return runs.value.find(
    ({ command, services: names }) => /^npm run reload\b/.test(command) && names.includes(service),
  );
}

/** A program that this dashboard has started for the service, and that runs. */
export function findRunningTask(service: string, kind: 'reload' | 'watch') {
  return Object.values(state.value?.tasks ?? {}).find(
    (task) => task.kind === kind && task.end === undefined && task.services.includes(service),
  );
}

/** Why nothing can be started now; undefined when it can. */
export function findHindrance(): string | undefined {
  if (connection.value !== 'open') return 'the dashboard does not respond';
  if (isReadOnly.value) return 'this environment is read-only';
  if (state.value?.cluster.state !== 'running') return 'the cluster is not running';
  return undefined;
}
