import { setMaxListeners } from 'node:events';
import { type App, defineCommand } from '../cli/command.ts';
import { selectComponents } from '../config/services.ts';
import type { Snapshots } from '../diagnosis/snapshot.ts';
import { createForward, type Forward } from '../forward/forward.ts';
import { createPodTracker, type PodTracker } from '../forward/pod-tracker.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { findEngine } from '../machine/engine.ts';
import { EngineFailure } from '../machine/engine-failure.ts';
import { readHost } from '../machine/host.ts';
import { findPortOwner } from '../machine/port-owner.ts';
import { createDocker } from '../tools/docker/docker.ts';
import type { ApiReader } from '../tools/kubernetes/api-server.ts';
import { followApi } from '../tools/kubernetes/follow-api.ts';
import { findComponent } from '../tools/kubernetes/objects.ts';
import { dialPod } from '../tools/kubernetes/port-forward.ts';
import { type Listener, listenOnLoopback } from '../tools/loopback.ts';
import { toTable } from '../ui/table.ts';
import { requireWritable } from './context/environment.ts';
import { type ForwardTarget, toForwardTarget } from './context/forward-targets.ts';
import { openCluster } from './context/open-cluster.ts';
import { explainUnavailable } from './forward/explain-unavailable.ts';

/** How many ports are tried, beginning with the wanted one. */
const triedPorts = 100;

export const command = defineCommand({
  description:
    'Opens a port on 127.0.0.1 for each named service and data store (default: all) and keeps it open until Ctrl-C. While pods are replaced, up to 256 requests and connections wait for the next ready pod, each for 30 s at most. After that they get an error with the reason: 503 over HTTP, an error of PostgreSQL or Redis. A request that was delivered is never sent again.',
  arguments: {
    targets: {
      value: 'target',
      summary: 'services to forward; also accepted: postgres, redis, s3',
      many: true,
      complete: 'services',
    },
  },
  examples: ['npm run forward', 'npm run forward postgres redis', 'npm run forward -- auth-service --json'],
  onlyPrints: true,

  async run(app, { targets }) {
    const { signal, ui } = app;
    const environment = requireWritable(app, await app.environment(), 'forward');
    const { namespace } = environment;
    const wanted = selectComponents(environment, targets).map((name) => toForwardTarget(environment, name));
    const access = await openCluster(app, environment);
    const api = await followApi(() => access.openApi());

    const failure = new AbortController();
    const ended = AbortSignal.any([signal, failure.signal]);
    // Every connection adds a listener.
    setMaxListeners(0, ended);
    const podTracker = createPodTracker(api, {
      namespace,
      componentOf: findComponent,
      signal: ended,
      onSilence: ({ message }) => ui.say(`${message}: connections wait for it`),
    });
    const tracking = podTracker.run();
    tracking.catch((error) => failure.abort(error));

    const deps = { api, podTracker, namespace, snapshots: access.snapshots, ui };
    const listeners: Listener[] = [];
    const forwards: Forward[] = [];
    try {
      for (const target of wanted) {
        const forward = connectTo(target, { ...deps, signal: ended });
        forwards.push(forward);
        const taken = new Set(wanted.filter((each) => each !== target).map(({ wantedPort }) => wantedPort));
        const listener = await listen(app, target, taken, (connection) => {
          forward.serve(connection).catch((error) => failure.abort(error));
        });
        listeners.push(listener);
      }
      ended.throwIfAborted();
      const rows = wanted.map((target, at) => {
        const port = listeners[at]?.port ?? target.wantedPort;
        return {
          name: target.name,
          address: `127.0.0.1:${port}`,
          port,
          usage: target.toUsage(port, namespace),
        };
      });
      const head = ['target', 'address', 'usage'].map(ui.resultColors.dim);
      const table = toTable(
        rows.map(({ name, address, usage }) => [name, ui.resultColors.cyan(address), usage]),
        head,
      );
      ui.result({ version: 1, forwards: rows }, table);
      ui.say('open until Ctrl-C');
      await tracking;
    } finally {
      for (const each of [...listeners, ...forwards]) each.close();
    }
  },
});

interface Deps {
  readonly api: ApiReader;
  readonly podTracker: PodTracker;
  readonly namespace: string;
  readonly snapshots: Snapshots;
  readonly signal: AbortSignal;
  readonly ui: App['ui'];
}

function connectTo(
  { name, port, protocol, workload }: ForwardTarget,
  { api, podTracker, namespace, snapshots, signal, ui }: Deps,
): Forward {
  return createForward(
    {
      find() {
        const pod = podTracker.findReady(name);
        if (!pod) return undefined;
        const { metadata } = pod;
        return {
          key: metadata.uid,
          dial: (gone) => dialPod(api, { namespace, pod: metadata.name, port }, gone),
          waitUntilTerminating: (gone) => podTracker.waitUntilTerminating(pod, gone),
        };
      },
      waitForChange: podTracker.waitForChange,
    },
    {
      protocol,
      signal,
      explain: (why, gone) => explainUnavailable(workload, why, snapshots, gone),
      onWaiting: (isWaiting) =>
        ui.say(isWaiting ? `${name} is not ready: connections wait` : `${name} responds again`),
    },
  );
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

async function describeOwner({ exec, signal }: App, port: number): Promise<string> {
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
