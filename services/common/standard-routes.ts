import { hostname } from 'node:os';
import type { BuildInfo } from './build-info.ts';
import { withDeadline } from './deadline.ts';
import type { Metrics } from './metrics.ts';
import type { Monitor } from './monitor.ts';
import { type HttpRoute, json, type Route } from './route.ts';

export interface StandardRoutesOptions {
  readonly name: string;
  /** Path of the description of this service; `/` but for the frontend, which has a page there. */
  readonly describedAt: string;
  readonly monitor: Monitor;
  readonly metrics: Metrics;
  /** The service's own routes, to be named in the description. */
  readonly routes: readonly Route[];
  /** Milliseconds that a readiness reply is held while the service starts. */
  readonly hold: number;
  readonly stopping: AbortSignal;
  readonly build: BuildInfo;
  /** When the process started. */
  readonly started: Date;
}

/** What every service answers: is it alive, is it ready, what is it, how much has it done. */
export function standardRoutes(options: StandardRoutesOptions): readonly HttpRoute[] {
  const { name, describedAt, monitor, metrics, hold, stopping, build, started } = options;
  const isReady = () => monitor.isReady() && !stopping.aborted;

  return [
    { method: 'GET', path: '/health/live', quiet: true, handle: () => json({ live: true }) },
    {
      method: 'GET',
      path: '/health/ready',
      quiet: true,
      async handle({ signal }) {
        // A probe that is answered the moment the service is ready loses no time to its period. Once it was ready,
        // an outage is answered at once, so that it is noticed.
        if (!monitor.hasStarted()) {
          await withDeadline(hold, [signal, stopping], monitor.whenReady).catch(() => {
            // Whatever ended the wait: what is answered is how things are now.
          });
        }
        const waitingFor = monitor
          .states()
          .filter(({ kind, state }) => kind === 'store' && state !== 'up')
          .map(({ name, error = 'not asked yet' }) => ({ name, error }));
        return json(
          { ready: isReady(), ...(stopping.aborted ? { stopping: true } : {}), waitingFor },
          isReady() ? 200 : 503,
        );
      },
    },
    {
      method: 'GET',
      path: '/metrics',
      quiet: true,
      handle: () => ({
        headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
        body: metrics.render(),
      }),
    },
    {
      method: 'GET',
      path: describedAt,
      quiet: true,
      handle: () =>
        json({
          name,
          version: build.version,
          sourceHash: build.sourceHash,
          instance: hostname(),
          started: started.toISOString(),
          uptimeSeconds: Math.round(process.uptime()),
          ready: isReady(),
          dependencies: monitor.states(),
          routes: options.routes.map(({ method, path }) => `${method} ${path}`),
        }),
    },
  ];
}

/** Metrics about the process and its dependencies; those about requests are the server's. */
export function addStandardMetrics(
  metrics: Metrics,
  {
    name,
    monitor,
    build,
  }: Pick<StandardRoutesOptions, 'name' | 'monitor'> & { readonly build: () => BuildInfo },
): void {
  const started = Date.now() / 1000 - process.uptime();
  metrics.gauge('service_info', 'Always 1; what runs is in the labels.', () => [
    { labels: { service: name, version: build().version, source_hash: build().sourceHash }, value: 1 },
  ]);
  metrics.gauge('dependency_up', 'Whether the dependency answered last time.', () =>
    monitor.states().map((d) => ({ labels: { dependency: d.name }, value: d.state === 'up' ? 1 : 0 })),
  );
  metrics.gauge('dependency_latency_seconds', 'Time that the last answer of the dependency took.', () =>
    monitor
      .states()
      .flatMap((d) =>
        d.latency === undefined ? [] : [{ labels: { dependency: d.name }, value: d.latency / 1000 }],
      ),
  );
  metrics.gauge('process_start_time_seconds', 'Unix time at which the process started.', () => [
    { labels: {}, value: started },
  ]);
  metrics.gauge('process_resident_memory_bytes', 'Resident memory.', () => [
    { labels: {}, value: process.memoryUsage.rss() },
  ]);
  metrics.gauge('nodejs_heap_used_bytes', 'Used part of the JavaScript heap.', () => [
    { labels: {}, value: process.memoryUsage().heapUsed },
  ]);
}
