import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { type BuildInfo, buildInfo } from './build-info.ts';
import { createCors } from './cors.ts';
import type { Dependencies } from './dependency.ts';
import { createLog } from './log.ts';
import { createMetrics } from './metrics.ts';
import { startMonitor } from './monitor.ts';
import { RestartRequired } from './restart-required.ts';
import type { HttpRoute } from './route.ts';
import { createServiceServer } from './server.ts';
import type { ServiceDefinition } from './service.ts';
import { readSettings } from './settings.ts';
import { addStandardMetrics, standardRoutes } from './standard-routes.ts';

export interface StartOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly write?: (line: string) => void;
  /** Overrides the configured port; 0 selects a free one. */
  readonly port?: number;
  /** Milliseconds for which a readiness reply is delayed during startup: less than the probe's timeout (10 s). */
  readonly readinessTimeout?: number;
  /** Milliseconds without a request after which the service counts as no longer routed to. */
  readonly idleTime?: number;
  /** Maximum milliseconds to wait for that on shutdown. */
  readonly idleTimeout?: number;
  /**
   * Milliseconds for running requests to end; with `idleTimeout` less than the rest of the pod's grace period (9 s).
   */
  readonly drainTimeout?: number;
  /** Additional routes of the process. */
  readonly routes?: readonly HttpRoute[];
}

export interface RunningService {
  readonly port: number;
  /**
   * Switches to the routes of another version of the program and preserves the connections.
   * @throws {RestartRequired} when the version needs other connections; {SettingsError}. Then nothing has changed.
   */
  replace(definition: ServiceDefinition<Dependencies>, build: BuildInfo): void;
  /** Stops accepting connections, waits for running requests, and closes the dependencies. */
  stop(): Promise<void>;
}

/**
 * Starts a service. It listens immediately and connects in the background.
 * @throws {SettingsError} with all problems of the configuration; a system error when the port is in use.
 */
export async function start<D extends Dependencies>(
  definition: ServiceDefinition<D>,
  options: StartOptions,
): Promise<RunningService> {
  const {
    env,
    write,
    port,
    readinessTimeout = 8_000,
    idleTime = 1_000,
    idleTimeout = 6_000,
    drainTimeout = 2_000,
  } = options;
  const name = buildInfo.name ?? definition.name;
  const settings = readSettings(env);
  const log = createLog(name, settings.optional('LOG_LEVEL') ?? 'info', write);
  const stopped = new AbortController();
  const stopping = stopped.signal;
  const started = new Date();

  // Dependencies connect on first use, so that all problems of the configuration are reported first.
  const dependencies = definition.connect(settings);
  const listenAt = port ?? settings.port();
  let version = open(definition, buildInfo, settings);

  const metrics = createMetrics();
  const monitor = startMonitor(Object.values(dependencies), { log });
  addStandardMetrics(metrics, { name, monitor, build: () => version.build });
  const cors = createCors(settings.optional('CORS_ORIGINS'));
  const { server, use, lastRequestTime } = createServiceServer({ cors, log, metrics, stopping });
  useVersion(version);

  /** Creates one version of the program. Its open streams end when it is replaced or the process stops. */
  function open(versionDefinition: ServiceDefinition<D>, build: BuildInfo, versionSettings: typeof settings) {
    const replaced = new AbortController();
    const context = {
      dependencies,
      settings: versionSettings,
      log,
      stopping: AbortSignal.any([stopping, replaced.signal]),
    };
    const routes = versionDefinition.routes(context);
    versionSettings.check();
    return { definition: versionDefinition, build, routes, end: () => replaced.abort() };
  }

  function useVersion({ definition: { descriptionPath = '/' }, build, routes }: typeof version): void {
    const standard = standardRoutes({
      ...{ name, descriptionPath, monitor, metrics, routes, readinessTimeout, stopping, build, started },
    });
    use([...routes, ...standard, ...(options.routes ?? [])]);
  }

  /**
   * After a pod starts to terminate, the cluster still routes requests to it for a while. Rejecting them would lose
   * them, so the service stops only when it is idle. Replies close their connections meanwhile.
   */
  async function waitUntilIdle(): Promise<void> {
    const deadline = performance.now() + idleTimeout;
    const stoppedAt = performance.now();
    while (performance.now() < deadline) {
      // First handle connections that were accepted while the event loop was busy.
      for (let turn = 0; turn < 3; turn += 1) await setImmediate();
      const remaining = Math.max(lastRequestTime(), stoppedAt) + idleTime - performance.now();
      if (remaining <= 0) return;
      await sleep(Math.min(remaining, 50));
    }
  }

  async function closeDependencies(): Promise<void> {
    await monitor.stop();
    await Promise.allSettled(Object.values(dependencies).map((dependency) => dependency.close()));
  }

  server.listen(listenAt);
  try {
    await once(server, 'listening');
  } catch (error) {
    await closeDependencies();
    throw error;
  }
  const address = server.address() as AddressInfo;
  log.info('listening', { port: address.port, version: buildInfo.version, sourceHash: buildInfo.sourceHash });

  return {
    port: address.port,

    replace(next: ServiceDefinition<D>, build) {
      if (!hasSameConnections(next, version.definition, readSettings(env))) {
        throw new RestartRequired('the changed program needs other connections, which requires a restart');
      }
      const previous = version;
      version = open(next, build, readSettings(env));
      useVersion(version);
      previous.end();
      log.info('replaced', { version: build.version, sourceHash: build.sourceHash });
    },

    async stop() {
      log.info('stopping');
      stopped.abort();
      await waitUntilIdle();
      const closed = once(server, 'close');
      server.close();
      const drainTimer = setTimeout(() => {
        log.warn(`closing connections with requests that still run after ${drainTimeout} ms`);
        server.closeAllConnections();
      }, drainTimeout);
      await closed;
      clearTimeout(drainTimer);
      await closeDependencies();
      log.info('stopped');
    },
  };
}

/** Compares the source code and the result of `connect`, without connecting. */
function hasSameConnections<D extends Dependencies>(
  one: ServiceDefinition<D>,
  other: ServiceDefinition<D>,
  settings: ReturnType<typeof readSettings>,
): boolean {
  const describe = ({ connect }: ServiceDefinition<D>) =>
    JSON.stringify([
      connect.toString(),
      Object.entries(connect(settings)).map(([key, { name, kind }]) => [key, name, kind]),
    ]);
  return describe(one) === describe(other);
}
