import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { buildInfo } from './build-info.ts';
import { createCors } from './cors.ts';
import type { Dependencies } from './dependency.ts';
import { createLog } from './log.ts';
import { createMetrics } from './metrics.ts';
import { startMonitor } from './monitor.ts';
import { createServiceServer } from './server.ts';
import type { ServiceDefinition } from './service.ts';
import { readSettings } from './settings.ts';
import { addStandardMetrics, standardRoutes } from './standard-routes.ts';

export interface StartOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly write?: (line: string) => void;
  /** In place of the configured port; 0 takes any free one. */
  readonly port?: number;
  /** Milliseconds that a readiness reply is held while the service starts: less than the probe's time-out (10 s). */
  readonly hold?: number;
  /** Milliseconds that running requests get to end: less than what is left of the pod's grace period (9 s). */
  readonly drain?: number;
}

export interface RunningService {
  readonly port: number;
  /** Takes no new connection, lets running requests end, closes what it stands on. */
  stop(): Promise<void>;
}

/**
 * Starts a service: it listens at once, and connects meanwhile.
 * @throws {SettingsError} with every problem of its configuration; an error of the system when the port is taken.
 */
export async function start<D extends Dependencies>(
  definition: ServiceDefinition<D>,
  { env, write, port, hold = 8_000, drain = 7_000 }: StartOptions,
): Promise<RunningService> {
  const name = buildInfo.name ?? definition.name;
  const settings = readSettings(env);
  const log = createLog(name, settings.optional('LOG_LEVEL') ?? 'info', write);
  const stopped = new AbortController();
  const stopping = stopped.signal;

  // Nothing connects before its first use, so that all problems of the configuration can be named before.
  const dependencies = definition.connect(settings);
  const routes = definition.routes({ dependencies, settings, log, stopping });
  const listenAt = port ?? settings.port(definition.port);
  settings.check();

  const metrics = createMetrics();
  const monitor = startMonitor(Object.values(dependencies), { log });
  addStandardMetrics(metrics, name, monitor);
  const describedAt = definition.describedAt ?? '/';
  const standard = standardRoutes({ name, describedAt, monitor, metrics, routes, hold, stopping });
  const cors = createCors(settings.optional('CORS_ORIGINS'));
  const server = createServiceServer({ routes: [...routes, ...standard], cors, log, metrics, stopping });

  async function release(): Promise<void> {
    await monitor.stop();
    await Promise.allSettled(Object.values(dependencies).map((dependency) => dependency.close()));
  }

  server.listen(listenAt);
  try {
    await once(server, 'listening');
  } catch (error) {
    await release();
    throw error;
  }
  const address = server.address() as AddressInfo;
  log.info('listening', { port: address.port, version: buildInfo.version, sourceHash: buildInfo.sourceHash });

  return {
    port: address.port,
    async stop() {
      log.info('stopping');
      stopped.abort();
      const closed = once(server, 'close');
      server.close();
      const cut = setTimeout(() => {
        log.warn(`requests still running after ${drain} ms are cut off`);
        server.closeAllConnections();
      }, drain);
      await closed;
      clearTimeout(cut);
      await release();
      log.info('stopped');
    },
  };
}
