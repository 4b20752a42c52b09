import { setTimeout as sleep } from 'node:timers/promises';
import { withDeadline } from './deadline.ts';
import type { Dependency } from './dependency.ts';
import { describeError } from './describe-error.ts';
import type { Log } from './log.ts';

export interface DependencyState {
  readonly name: string;
  readonly kind: Dependency['kind'];
  readonly state: 'unknown' | 'up' | 'down';
  /** Milliseconds of the last successful probe; absent before the first one and while the dependency is down. */
  readonly latency?: number;
  /** Reason why it is down. */
  readonly error?: string;
  /** ISO 8601 time of the last change of state. */
  readonly since: string;
}

export interface MonitorOptions {
  readonly log: Log;
  /**
   * Milliseconds between two probes of a store or a service that is up. They are most of what an idle service does, and a
   * request that meets an outage reports it anyway.
   */
  readonly interval?: Readonly<Record<Dependency['kind'], number>>;
  /** Milliseconds after which a probe fails. */
  readonly timeout?: number;
}

/** Probes the dependencies regularly and provides their current states. */
export interface Monitor {
  states(): readonly DependencyState[];
  /** Whether all stores are up. */
  isReady(): boolean;
  /** Whether the service was ready at least once. */
  hasStarted(): boolean;
  /** Resolves when the service is ready or the signal is aborted. */
  whenReady(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Milliseconds between two probes of a dependency that is down. They double up to a limit, which is lower during
 * startup.
 */
const minRetryDelay = 50;
const maxRetryDelay = { starting: 250, started: 1_000 };

export function startMonitor(
  dependencies: readonly Dependency[],
  { log, interval = { store: 5_000, service: 10_000 }, timeout = 2_000 }: MonitorOptions,
): Monitor {
  const stopped = new AbortController();
  const states = new Map<string, DependencyState>();
  const waiting = new Set<() => void>();
  let started = false;

  const isReady = () => [...states.values()].every(({ kind, state }) => kind !== 'store' || state === 'up');

  function update(dependency: Dependency, next: Pick<DependencyState, 'latency' | 'error'>): void {
    const { name, kind } = dependency;
    const state = next.error === undefined ? 'up' : 'down';
    const last = states.get(name);
    const since = last?.state === state ? last.since : new Date().toISOString();
    states.set(name, { name, kind, state, since, ...next });
    if (last?.state !== state || last.error !== next.error) {
      if (state === 'up') log.info(`${name} is up`, { dependency: name });
      else log.warn(`${name} is down: ${next.error}`, { dependency: name });
    }
    if (!isReady()) return;
    started = true;
    for (const stopWaiting of waiting) stopWaiting();
  }

  async function watch(dependency: Dependency): Promise<void> {
    let retryDelay = minRetryDelay;
    while (!stopped.signal.aborted) {
      const startedAt = performance.now();
      try {
        await withDeadline(timeout, [stopped.signal], (signal) => dependency.probe(signal));
        update(dependency, { latency: Math.round((performance.now() - startedAt) * 10) / 10 });
        retryDelay = minRetryDelay;
      } catch (error) {
        if (stopped.signal.aborted) return;
        update(dependency, { error: describeError(error) });
      }
      const up = states.get(dependency.name)?.state === 'up';
      const delay = up ? interval[dependency.kind] : retryDelay;
      if (!up) retryDelay = Math.min(retryDelay * 2, maxRetryDelay[started ? 'started' : 'starting']);
      await sleep(delay, undefined, { signal: stopped.signal }).catch(() => {
        // Only `stop` aborts the delay, and the loop condition checks that next.
      });
    }
  }

  for (const { name, kind } of dependencies) {
    states.set(name, { name, kind, state: 'unknown', since: new Date().toISOString() });
  }
  started = isReady();
  const watches = dependencies.map(watch);

  return {
    states: () => [...states.values()],
    isReady,
    hasStarted: () => started,
    whenReady(signal) {
      if (isReady() || signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const stopWaiting = () => {
          waiting.delete(stopWaiting);
          signal.removeEventListener('abort', stopWaiting);
          resolve();
        };
        waiting.add(stopWaiting);
        signal.addEventListener('abort', stopWaiting, { once: true });
      });
    },
    async stop() {
      stopped.abort();
      await Promise.all(watches);
    },
  };
}
