import { setTimeout as sleep } from 'node:timers/promises';
import type { App } from '../../cli/command.ts';
import { findInterceptMark, type Intercept, isIntercepted, toAgentName } from '../../diagnosis/intercept.ts';
import { createForward, type Forward } from '../../forward/forward.ts';
import { tunnelPort } from '../../intercept/agent-objects.ts';
import { createLocalProgram, type LocalProgram } from '../../intercept/local-program.ts';
import { findAgentPod, findService } from '../../intercept/service-route.ts';
import { isTimeout, withDeadline } from '../../lib/deadline.ts';
import { exitCodes, Failure } from '../../lib/failure.ts';
import { findProcess } from '../../lib/processes.ts';
import { waitFor } from '../../lib/wait.ts';
import {
  type InterceptDeps,
  restartOwnPods,
  routeToAgent,
  routeToPods,
} from '../../steps/intercept-service.ts';
import { removeAgent } from '../../steps/start-agent.ts';
import { isListening } from '../../tools/dial-loopback.ts';
import { isConnectionLost } from '../../tools/kubernetes/api-server.ts';
import { keepPodTunnel } from '../../tools/kubernetes/pod-tunnel.ts';

export interface HoldOptions {
  readonly app: Pick<App, 'ui'>;
  readonly deps: InterceptDeps;
  readonly localPort: number;
  /** What callers speak; `any` is found out for each connection. */
  readonly protocol: 'http' | 'tcp' | 'any';
  /** A pod of the service, for requests while it is given back. */
  readonly findPod: Parameters<typeof createLocalProgram>[0]['findPod'];
  /** Creates the agent again, after somebody has removed its pod. */
  readonly createAgent: (signal: AbortSignal) => Promise<void>;
  /** What runs in place of the service, as it is shown. */
  readonly command: string | undefined;
  readonly onReady: () => void;
  readonly signal: AbortSignal;
}

/** Milliseconds in which the agent must connect. */
const connectTimeout = 30_000;

/** Milliseconds between two looks at the program's port, and at the Service. */
const listenInterval = 100;
const watchInterval = 1_000;

/** Milliseconds in which a service is given back; the end of this program is not held up for longer. */
const giveBackTimeout = 7_000;

/** Milliseconds without an open request after which callers count as led away. */
const quietTime = 300;
const drainTimeout = 3_000;

/**
 * Routes a service to this machine once its program listens, and keeps that so until the signal is aborted. Then the
 * service is given back: requests go to its own pods from the same moment on.
 * @throws {Failure} exit code 5 when the service was taken back by another command; the signal's reason.
 */
export async function holdIntercept(options: HoldOptions): Promise<never> {
  const { app, deps, localPort, protocol, findPod, signal, onReady } = options;
  const { name } = deps.place;
  const stopped = new AbortController();
  const program = createLocalProgram({ port: localPort, findPod });
  const forward = createForward(program, {
    protocol,
    status: 502,
    signal: stopped.signal,
    timeout: program.remainingWait,
    explain: async () =>
      `${name} is intercepted, and no program listens on 127.0.0.1:${localPort}\nnpm run status`,
    onWaiting: (isWaiting) =>
      app.ui.say(
        isWaiting ? `port ${localPort} does not respond: requests wait` : `port ${localPort} responds again`,
      ),
  });
  const tunnel = openTunnel(options, forward, stopped.signal);
  let isRouted = false;
  try {
    await tunnel.untilOpen(signal);
    await waitUntilListening(localPort, signal);
    isRouted = true;
    const mark = await routeHere(options, signal);
    onReady();
    // Callers that keep a connection to an old pod would never come here.
    const restarted = restartOwnPods(deps, signal);
    return await keepRouted(options, mark, tunnel, restarted);
  } finally {
    await giveBack(options, { program, forward, isRouted });
    stopped.abort();
    forward.close();
  }
}

interface Tunnel {
  /** @throws {Failure} exit code 5 when the agent does not connect in time. */
  untilOpen(signal: AbortSignal): Promise<void>;
  isOpen(): boolean;
}

function openTunnel({ app, deps }: HoldOptions, forward: Forward, signal: AbortSignal): Tunnel {
  const { namespace, name } = deps.place;
  let isOpen = false;
  let reason: unknown;
  const kept = keepPodTunnel(deps.api, {
    target: { namespace, pod: toAgentName(name), port: tunnelPort, pingInterval: 2_000 },
    signal,
    onConnection: (connection) => {
      // Only a bug rejects: whatever happens to a connection ends it.
      forward.serve(connection).catch((error) => app.ui.warn(String(error)));
    },
    onOpen() {
      isOpen = true;
    },
    onLost(lost) {
      isOpen = false;
      reason = lost;
    },
  });
  // It ends with the signal only.
  kept.catch(() => {});
  return {
    isOpen: () => isOpen,
    async untilOpen(limit) {
      const wait = { interval: 20, timeout: connectTimeout, signal: limit };
      if (await waitFor(async () => isOpen || undefined, wait)) return;
      throw new Failure(`the agent of ${name} does not respond`, {
        cause: reason,
        hint: `npm run kubectl -- -n ${namespace} logs ${toAgentName(name)}`,
        exitCode: exitCodes.cluster,
      });
    },
  };
}

async function waitUntilListening(port: number, signal: AbortSignal): Promise<void> {
  while (!(await isListening(port, signal))) await sleep(listenInterval, undefined, { signal });
}

async function routeHere({ deps, command }: HoldOptions, signal: AbortSignal): Promise<Mark> {
  const own = await findProcess(process.pid);
  const mark = {
    pid: process.pid,
    started: own?.started ?? '',
    ...(command === undefined ? {} : { command }),
  };
  await routeToAgent(deps, mark, signal);
  return mark;
}

type Mark = Omit<Intercept, 'instance'>;

/** Restores the route after a Helm upgrade, a lost line or a removed agent. Ends when another command took it back. */
async function keepRouted(
  { app, deps, createAgent, signal }: HoldOptions,
  mark: Mark,
  tunnel: Tunnel,
  restarted: Promise<void>,
): Promise<never> {
  const { api, place } = deps;
  await restarted;
  for (;;) {
    await sleep(watchInterval, undefined, { signal });
    try {
      const [service, agent] = await Promise.all([
        findService(api, place, signal),
        findAgentPod(api, place, signal),
      ]);
      const current = service && findInterceptMark(service);
      if (current?.pid !== mark.pid || current.started !== mark.started) throw toTakenBack(place.name);
      if (!agent || agent.metadata.deletionTimestamp !== undefined) {
        app.ui.say(`pod ${toAgentName(place.name)} was removed: creating it again`);
        await createAgent(signal);
      }
      if (service && !isIntercepted(service) && tunnel.isOpen()) {
        app.ui.say(`${place.name} was routed to its pods: intercepting it again`);
        await routeToAgent(deps, mark, signal);
      }
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof TakenBack || !isConnectionLost(error)) throw error;
    }
  }
}

class TakenBack extends Failure {}

function toTakenBack(name: string): Failure {
  return new TakenBack(`${name} was given back by another command`, {
    hint: 'npm run status',
    exitCode: exitCodes.cluster,
  });
}

async function giveBack(
  { app, deps }: HoldOptions,
  { program, forward, isRouted }: { program: LocalProgram; forward: Forward; isRouted: boolean },
): Promise<void> {
  program.leave();
  try {
    await withDeadline({ timeout: giveBackTimeout }, async (limited) => {
      if (isRouted) {
        await routeToPods(deps, limited);
        await drain(forward, limited);
      }
      await removeAgent(deps, limited);
    });
    if (isRouted) app.ui.say(`${deps.place.name} is served by its pods again`);
  } catch (error) {
    if (!isTimeout(error) && !isConnectionLost(error)) throw error;
    app.ui.warn(`${deps.place.name} could not be given back, which its agent or the next npm run up does`);
  }
}

/** Waits until callers have left the connections that they keep to the agent. */
async function drain(forward: Forward, signal: AbortSignal): Promise<void> {
  forward.drain();
  let lastOpen = performance.now();
  await waitFor(
    async () => {
      if (forward.countOpen() > 0) lastOpen = performance.now();
      return performance.now() - lastOpen > quietTime || undefined;
    },
    { interval: 20, timeout: drainTimeout, signal },
  );
}
