import { setMaxListeners } from 'node:events';
import type { App } from '../../cli/command.ts';
import type { Snapshots } from '../../diagnosis/snapshot.ts';
import { createForward, type Forward } from '../../forward/forward.ts';
import { createPodTracker, type PodTracker } from '../../forward/pod-tracker.ts';
import { exitCodes, Failure } from '../../lib/failure.ts';
import { findEngine } from '../../machine/engine.ts';
import { EngineFailure } from '../../machine/engine-failure.ts';
import { readHost } from '../../machine/host.ts';
import { findPortOwner } from '../../machine/port-owner.ts';
import { createDocker } from '../../tools/docker/docker.ts';
import type { ApiReader } from '../../tools/kubernetes/api-server.ts';
import { findComponent } from '../../tools/kubernetes/objects.ts';
import { dialPod } from '../../tools/kubernetes/port-forward.ts';
import { type Listener, listenOnLoopback } from '../../tools/loopback.ts';
import { explainUnavailable } from './explain-unavailable.ts';
import type { ForwardTarget } from './forward-targets.ts';

/** How many ports are tried, beginning with the wanted one. */
const triedPorts = 100;

export interface ForwardsDeps {
  readonly app: App;
  readonly api: ApiReader;
  readonly snapshots: Snapshots;
  readonly namespace: string;
  readonly signal: AbortSignal;
  /** Called with the number of requests that wait for a target, whenever it changes. */
  readonly onHeld?: (target: ForwardTarget, count: number) => void;
}

/** Ports of this machine, each forwarded to a service or data store. */
export interface OpenForwards {
  /** The local port of each target, in their order. */
  readonly ports: readonly number[];
  readonly podTracker: PodTracker;
  /** Rejects with the signal's reason, or with what has made forwarding fail. */
  readonly ended: Promise<never>;
  close(): void;
}

/**
 * Listens on 127.0.0.1 for each target and forwards to its pods, which may be replaced meanwhile.
 * @throws {Failure} exit code 4 when no port is free, 5 when the cluster does not respond.
 */
export async function openForwards(
  deps: ForwardsDeps,
  targets: readonly ForwardTarget[],
): Promise<OpenForwards> {
  const { app, api, namespace } = deps;
  const failure = new AbortController();
  const signal = AbortSignal.any([deps.signal, failure.signal]);
  // Every connection adds a listener.
  setMaxListeners(0, signal);
  const podTracker = createPodTracker(api, {
    namespace,
    componentOf: findComponent,
    signal,
    onSilence: ({ message }) => app.ui.say(`${message}: connections wait for it`),
  });
  const ended = podTracker.run();
  ended.catch((error) => failure.abort(error));

  const listeners: Listener[] = [];
  const forwards: Forward[] = [];
  const close = () => {
    for (const each of [...listeners, ...forwards]) each.close();
  };
  try {
    for (const target of targets) {
      const forward = createForward(toUpstream(target, deps, podTracker), {
        protocol: target.protocol,
        signal,
        explain: (why, gone) => explainUnavailable(target.workload, why, deps.snapshots, gone),
        onHeld: (count) => deps.onHeld?.(target, count),
        onWaiting: (isWaiting) =>
          app.ui.say(
            isWaiting ? `${target.name} is not ready: connections wait` : `${target.name} responds again`,
          ),
      });
      forwards.push(forward);
      const taken = new Set(targets.filter((each) => each !== target).map(({ wantedPort }) => wantedPort));
      const listener = await listen(app, target, taken, (connection) => {
        forward.serve(connection).catch((error) => failure.abort(error));
      });
      listeners.push(listener);
    }
    signal.throwIfAborted();
  } catch (error) {
    close();
    throw error;
  }
  return { ports: listeners.map(({ port }) => port), podTracker, ended, close };
}

/** The pods of a target, the newest ready one first. */
export function toUpstream(
  { component, port, prepare }: Pick<ForwardTarget, 'component' | 'port' | 'prepare'>,
  { api, namespace }: Pick<ForwardsDeps, 'api' | 'namespace'>,
  podTracker: PodTracker,
): Parameters<typeof createForward>[0] {
  return {
    find() {
      const pod = podTracker.findReady(component);
      if (!pod) return undefined;
      const { metadata } = pod;
      return {
        key: metadata.uid,
        async dial(gone) {
          await prepare?.(pod, gone);
          return dialPod(api, { namespace, pod: metadata.name, port }, gone);
        },
        waitUntilTerminating: (gone) => podTracker.waitUntilTerminating(pod, gone),
      };
    },
    waitForChange: podTracker.waitForChange,
  };
}

/** Listens on the wanted port, or on the next free port that no other target wants. */
async function listen(
  app: App,
  { name, wantedPort }: ForwardTarget,
  taken: ReadonlySet<number>,
  onConnection: Parameters<typeof listenOnLoopback>[1],
): Promise<Listener> {
  for (let port = wantedPort; port < wantedPort + triedPorts; port++) {
    if (taken.has(port)) continue;
    const listener = await listenOnLoopback(port, onConnection);
    if (!listener) continue;
    if (port !== wantedPort)
      app.ui.say(`port ${wantedPort} is taken${await describeOwner(app, wantedPort)}: ${name} is on ${port}`);
    return listener;
  }
  throw new Failure(`ports ${wantedPort} to ${wantedPort + triedPorts - 1} are taken`, {
    hint: 'npm run doctor',
    exitCode: exitCodes.port,
  });
}

/** ` by nginx (PID 812)`; empty when it cannot be found out. */
export async function describeOwner({ exec, signal }: App, port: number): Promise<string> {
  const host = await readHost();
  const engine = await findEngine(host, { signal }).catch((error: unknown) => {
    // Its containers remain unknown, which must not end a forward that needs no engine.
    if (error instanceof EngineFailure) return undefined;
    throw error;
  });
  const docker = engine && createDocker(engine, exec);
  const owner = await findPortOwner(port, { host, docker, exec });
  return owner === undefined ? '' : ` by ${owner}`;
}
