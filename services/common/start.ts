import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { type BuildInfo, buildInfo } from './build-info.ts';
import { createCors } from './cors.ts';
import type { Dependencies } from './dependency.ts';
import { createLog } from './log.ts';
import { createMetrics } from './metrics.ts';
import { startMonitor } from './monitor.ts';
import type { HttpRoute } from './route.ts';
import { createServiceServer } from './server.ts';
import type { ServiceDefinition } from './service.ts';
import { readSettings } from './settings.ts';
import { addStandardMetrics, standardRoutes } from './standard-routes.ts';
import { StartAnew } from './start-anew.ts';

export interface StartOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly write?: (line: string) => void;
  /** In place of the configured port; 0 takes any free one. */
  readonly port?: number;
  /** Milliseconds that a readiness reply is held while the service starts: less than the probe's time-out (10 s). */
  readonly hold?: number;
  /** Milliseconds without a request after which nobody seems to be led here any longer. */
  readonly quiet?: number;
  /** Milliseconds for which that is waited for. */
  readonly linger?: number;
  /** Milliseconds that running requests get to end: with `linger`, less than what is left of the pod's grace (9 s). */
  readonly drain?: number;
  /** What the process around it answers, too. */
  readonly routes?: readonly HttpRoute[];
}

export interface RunningService {
  readonly port: number;
  /**
   * Answers from now on as another version of its program does, over the connections of this one.
   * @throws {StartAnew} when that needs other connections; {SettingsError}. Nothing has changed then.
   */
  replace(definition: ServiceDefinition<Dependencies>, build: BuildInfo): void;
  /** Takes no new connection, lets running requests end, closes what it stands on. */
  stop(): Promise<void>;
}

/**
 * Starts a service: it listens at once, and connects meanwhile.
 * @throws {SettingsError} with every problem of its configuration; an error of the system when the port is taken.
 */
export async function start<D extends Dependencies>(
  definition: ServiceDefinition<D>,
  options: StartOptions,
): Promise<RunningService> {
  const { env, write, port, hold = 8_000, quiet = 1_000, linger = 6_000, drain = 2_000 } = options;
  const name = buildInfo.name ?? definition.name;
  const settings = readSettings(env);
  const log = createLog(name, settings.optional('LOG_LEVEL') ?? 'info', write);
  const stopped = new AbortController();
  const stopping = stopped.signal;
  const started = new Date();

  // Nothing connects before its first use, so that all problems of the configuration can be named before.
  const dependencies = definition.connect(settings);
  const listenAt = port ?? settings.port();
  let version = open(definition, buildInfo, settings);

  const metrics = createMetrics();
  const monitor = startMonitor(Object.values(dependencies), { log });
  addStandardMetrics(metrics, { name, monitor, build: () => version.build });
  const cors = createCors(settings.optional('CORS_ORIGINS'));
  const { server, use, lastAsked } = createServiceServer({ cors, log, metrics, stopping });
  answer(version);

  /** One version of the program. What it keeps open ends with it, or with the process. */
  function open(opened: ServiceDefinition<D>, build: BuildInfo, from: typeof settings) {
    const replaced = new AbortController();
    const context = {
      dependencies,
      settings: from,
      log,
      stopping: AbortSignal.any([stopping, replaced.signal]),
    };
    const routes = opened.routes(context);
    from.check();
    return { definition: opened, build, routes, end: () => replaced.abort() };
  }

  function answer({ definition: { describedAt = '/' }, build, routes }: typeof version): void {
    const standard = standardRoutes({
      ...{ name, describedAt, monitor, metrics, routes, hold, stopping, build, started },
    });
    use([...routes, ...standard, ...(options.routes ?? [])]);
  }

  /**
   * A cluster at work takes its time to lead everybody elsewhere, and who keeps a connection is told to come on another
   * one when he asks the next time. What is refused meanwhile is a request lost.
   */
  async function untilUnasked(): Promise<void> {
    const end = performance.now() + linger;
    const since = performance.now();
    while (performance.now() < end) {
      // Who was accepted while this process had no turn is heard first.
      for (let turn = 0; turn < 3; turn += 1) await setImmediate();
      const rest = Math.max(lastAsked(), since) + quiet - performance.now();
      if (rest <= 0) return;
      await sleep(Math.min(rest, 50));
    }
  }

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

    replace(next: ServiceDefinition<D>, build) {
      if (!connectsAlike(next, version.definition, readSettings(env))) {
        throw new StartAnew('it connects to something else, for which it has to start anew');
      }
      const before = version;
      version = open(next, build, readSettings(env));
      answer(version);
      before.end();
      log.info('replaced', { version: build.version, sourceHash: build.sourceHash });
    },

    async stop() {
      log.info('stopping');
      stopped.abort();
      await untilUnasked();
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

/** As far as can be told without connecting: by what `connect` says, and what comes of it. */
function connectsAlike<D extends Dependencies>(
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
