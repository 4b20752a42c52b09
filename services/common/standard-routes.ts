import { hostname } from 'node:os';
import type { BuildInfo } from './build-info.ts';
import { withDeadline } from './deadline.ts';
import type { Metrics } from './metrics.ts';
import type { Monitor } from './monitor.ts';
import { type HttpRoute, json, type Route } from './route.ts';

export interface StandardRoutesOptions {
  readonly name: string;
  /** Path of the service's description: `/`, except for the frontend, which has its page there. */
  readonly descriptionPath: string;
  readonly monitor: Monitor;
  readonly metrics: Metrics;
  /** The service's own routes, which the description lists. */
  readonly routes: readonly Route[];
  /** Milliseconds for which a readiness reply is delayed during startup. */
  readonly readinessTimeout: number;
  readonly stopping: AbortSignal;
  readonly build: BuildInfo;
  /** Start time of the process. */
  readonly started: Date;
}

/** The routes of every service: liveness, readiness, metrics and description. */
export function standardRoutes(options: StandardRoutesOptions): readonly HttpRoute[] {
  const { name, descriptionPath, monitor, metrics, readinessTimeout, stopping, build, started } = options;
  const isReady = () => monitor.isReady() && !stopping.aborted;

  return [
    { method: 'GET', path: '/health/live', quiet: true, handle: () => json({ live: true }) },
    {
      method: 'GET',
      path: '/health/ready',
      quiet: true,
      async handle({ signal }) {
        // During startup the reply waits until the service is ready, which is faster than the next probe. After
        // startup,
        // an outage is reported immediately.
        if (!monitor.hasStarted()) {
          await withDeadline(readinessTimeout, [signal, stopping], monitor.whenReady).catch(() => {
            // The reply reports the current state, whatever ended the wait.
          });
        }
        const waitingFor = monitor
          .states()
          .filter(({ kind, state }) => kind === 'store' && state !== 'up')
          .map(({ name, error = 'not checked yet' }) => ({ name, error }));
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
      path: descriptionPath,
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

/** Adds metrics of the process and its dependencies; the server adds those of requests. */
export function addStandardMetrics(
  metrics: Metrics,
  {
    name,
    monitor,
    build,
  }: Pick<StandardRoutesOptions, 'name' | 'monitor'> & { readonly build: () => BuildInfo },
): void {
  const started = Date.now() / 1000 - process.uptime();
  metrics.gauge('service_info', 'Always 1; the labels describe the running program.', () => [
    { labels: { service: name, version: build().version, source_hash: build().sourceHash }, value: 1 },
  ]);
  metrics.gauge('dependency_up', 'Whether the last probe of the dependency succeeded.', () =>
    monitor.states().map((d) => ({ labels: { dependency: d.name }, value: d.state === 'up' ? 1 : 0 })),
  );
  metrics.gauge(
    'dependency_latency_seconds',
    'Duration of the last successful probe of the dependency.',
    () =>
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
