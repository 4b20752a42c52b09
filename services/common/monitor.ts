import { setTimeout as sleep } from 'node:timers/promises';
import { withDeadline } from './deadline.ts';
import type { Dependency } from './dependency.ts';
import { describeError } from './describe-error.ts';
import type { Log } from './log.ts';

export interface DependencyState {
  readonly name: string;
  readonly kind: Dependency['kind'];
  readonly state: 'unknown' | 'up' | 'down';
  /** Milliseconds that the last answer took; absent before the first and while it is down. */
  readonly latency?: number;
  /** Why it is down. */
  readonly error?: string;
  /** ISO 8601: when it came into this state. */
  readonly since: string;
}

export interface MonitorOptions {
  readonly log: Log;
  /** Milliseconds between two questions to a store that answers, and to a service that answers. */
  readonly every?: Readonly<Record<Dependency['kind'], number>>;
  /** Milliseconds until a question counts as not answered. */
  readonly timeout?: number;
}

/** Knows at any time which dependencies are usable, because it keeps asking them. */
export interface Monitor {
  states(): readonly DependencyState[];
  /** All stores are up. */
  isReady(): boolean;
  /** It was ready at least once. */
  hasStarted(): boolean;
  /** Resolves once it is ready, or when the signal is aborted. */
  whenReady(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

/** Milliseconds between two questions to what does not answer: they grow, less far while others wait for the start. */
const firstRetry = 50;
const longestRetry = { starting: 250, started: 1_000 };

export function startMonitor(
  dependencies: readonly Dependency[],
  { log, every = { store: 1_000, service: 5_000 }, timeout = 2_000 }: MonitorOptions,
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
    for (const goOn of waiting) goOn();
  }

  async function watch(dependency: Dependency): Promise<void> {
    let retry = firstRetry;
    while (!stopped.signal.aborted) {
      const asked = performance.now();
      try {
        await withDeadline(timeout, [stopped.signal], (signal) => dependency.probe(signal));
        update(dependency, { latency: Math.round((performance.now() - asked) * 10) / 10 });
        retry = firstRetry;
      } catch (error) {
        if (stopped.signal.aborted) return;
        update(dependency, { error: describeError(error) });
      }
      const up = states.get(dependency.name)?.state === 'up';
      const pause = up ? every[dependency.kind] : retry;
      if (!up) retry = Math.min(retry * 2, longestRetry[started ? 'started' : 'starting']);
      await sleep(pause, undefined, { signal: stopped.signal }).catch(() => {
        // Only the end of the monitor ends a pause early, and the loop looks at that next.
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
        const goOn = () => {
          waiting.delete(goOn);
          signal.removeEventListener('abort', goOn);
          resolve();
        };
        waiting.add(goOn);
        signal.addEventListener('abort', goOn, { once: true });
      });
    },
    async stop() {
      stopped.abort();
      await Promise.all(watches);
    },
  };
}
