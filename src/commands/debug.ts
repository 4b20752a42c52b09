import { type App, defineCommand } from '../cli/command.ts';
import type { LocalEnvironment } from '../config/schema.ts';
import { getService } from '../config/services.ts';
import { findStandstill, jdwpPort } from '../debug/debug-rollout.ts';
import { buildDelveImage } from '../debug/delve-image.ts';
import { findContainer, findProgram } from '../debug/find-program.ts';
import { toLaunchConfigurations } from '../debug/launch-configuration.ts';
import { getRunningPod } from '../diagnosis/find-pod.ts';
import { findIntercept } from '../diagnosis/intercept.ts';
import { openImages } from '../images/open-images.ts';
import { readPodEnvironment } from '../intercept/pod-environment.ts';
import { isTimeout, withDeadline } from '../lib/deadline.ts';
import { toDuration } from '../lib/duration.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { planDebugRollout, planDelve } from '../plans/debug.ts';
import { endDebugging, getDeployment, isDebugged } from '../steps/debug-service.ts';
import { isConnectionLost } from '../tools/kubernetes/api-server.ts';
import { followApi } from '../tools/kubernetes/follow-api.ts';
import { getRunningCluster } from './context/engine.ts';
import { requireWritable } from './context/environment.ts';
import { toForwardTarget, toWorkload } from './context/forward-targets.ts';
import { openForwards } from './context/open-forwards.ts';
import { findServiceFolder } from './context/service-folder.ts';
import { openSession } from './context/session.ts';
import type { Debugger, DebugResult } from './debug/debugger.ts';
import { createGoDebugger } from './debug/go-debugger.ts';
import { createNodeDebugger } from './debug/node-debugger.ts';

export const command = defineCommand({
  description:
    'Attaches a debugger to a service that stays in the cluster, and prints the address and launch configurations for VS Code, JetBrains and Delve. Node.js: its inspector is switched on in the running program, and off at the end. JVM: its pods are rolled out with JDWP, and without it at the end. Go: Delve attaches from a debug container of the pod, if the kernel allows that. The port is on 127.0.0.1 and leads to the loopback of the pod until Ctrl-C, also while pods are replaced.',
  arguments: {
    service: { value: 'service', summary: 'service to debug', required: true, complete: 'services' },
  },
  options: {
    relaxProbes: {
      summary:
        'replace the pods by ones whose probes bear a program that stands at a breakpoint, until the end; always so for a JVM',
    },
  },
  examples: [
    'npm run debug auth-service',
    'npm run debug -- board-service --relax-probes',
    'npm run debug -- board-service --json',
  ],

  async run(app, { service, relaxProbes }) {
    const environment = requireWritable(app, await app.environment(), 'debug');
    getService(environment, service);
    const session = await connect(app, environment, service);
    const { api, place, snapshots } = session;
    await claim(session, app.signal);
    let found = await findDebugged(app, environment, session);
    const isJvm = found.runtime === 'jvm';
    let isRolledOut = false;
    const over = new AbortController();
    let debug: Debugger | undefined;
    let forwards: Awaited<ReturnType<typeof openForwards>> | undefined;
    try {
      if (isJvm || relaxProbes) {
        isRolledOut = true;
        await rollOut(app, session, { container: found.container, isJvm });
        found = await findDebugged(app, environment, session);
      }
      debug = createDebugger(app, environment, session, found.runtime);
      await debug.prepare(found.pod, app.signal);
      const target = {
        ...toForwardTarget(environment, service),
        ...({
          name: `${service}:${debug.port}`,
          protocol: 'tcp',
          port: debug.port,
          wantedPort: debug.port,
        } as const),
        prepare: debug.prepare,
      };
      // The forward lasts longer than the run: the debugger is ended through it.
      forwards = await openForwards(
        { app, api, snapshots, namespace: place.namespace, signal: over.signal },
        [target],
      );
      const localPort = forwards.ports[0] ?? debug.port;
      const source = await findServiceFolder(app, environment, service);
      show(app, { ...found, service, localPort, source, isRelaxed: isRolledOut });
      await untilEnded(forwards.ended, app.signal);
    } finally {
      await end(app, session, { debug, localPort: forwards?.ports[0], isRolledOut });
      over.abort(new Error('ended'));
      forwards?.close();
    }
  },
});

type Runtime = 'node' | 'jvm' | 'go';

/** Milliseconds in which debugging is ended; the end of this program is not held up for longer. */
const endTimeout = 7_000;

type Session = Awaited<ReturnType<typeof connect>>;

async function connect(app: App, environment: LocalEnvironment, name: string) {
  const { engine, name: cluster } = await getRunningCluster(app, environment);
  const { toolchain, snapshots, openApi } = openSession(app, engine, cluster);
  const api = await followApi(openApi);
  return { api, engine, toolchain, snapshots, place: { namespace: environment.namespace, name } };
}

/** Takes back what a killed run has left. @throws {Failure} exit code 10 when another one debugs the service. */
async function claim({ api, place }: Session, signal: AbortSignal): Promise<void> {
  const deployment = await getDeployment(api, place, signal);
  if (await isDebugged(deployment)) {
    throw new Failure(`${place.name} is rolled out for another npm run debug`, {
      hint: 'end that one with Ctrl-C',
      exitCode: exitCodes.locked,
    });
  }
  await endDebugging(api, place, signal);
}

/** The pod, its container, and what runs in it. @throws {Failure} exit code 8 for a program without a known debugger. */
async function findDebugged(
  { signal, ui }: App,
  environment: LocalEnvironment,
  { snapshots, toolchain, place }: Session,
) {
  const { name, namespace } = place;
  const snapshot = await snapshots.take(signal);
  const pod = getRunningPod(snapshot, toWorkload(environment, name));
  if (findIntercept(snapshot, name, namespace)) ui.warn(`${name} is intercepted: its pods get no requests`);
  const found = findContainer(pod, name);
  const { port } = getService(environment, name);
  const listed =
    found && (await toolchain.nodes.listPrograms(found.node, { container: found.id, port }, signal));
  const program = listed && findProgram(listed.programs);
  if (!found || !program || program.runtime === 'other') {
    throw new Failure(
      program
        ? `${name} runs ${program.executable}, and not Node.js, a JVM or Go`
        : `${name} runs no program`,
      {
        hint: `npm run forward ${name}:5005, for a debugger that listens in the pod`,
        exitCode: exitCodes.workload,
      },
    );
  }
  const container = pod.spec.containers.find((each) => each.name === found.name);
  const runtime: Runtime = program.runtime;
  return {
    pod,
    container: found.name,
    runtime,
    folder: program.folder,
    standstill: findStandstill(container),
  };
}

async function rollOut(
  app: App,
  { api, toolchain, snapshots, place }: Session,
  { container, isJvm }: { readonly container: string; readonly isJvm: boolean },
): Promise<void> {
  const deployment = await getDeployment(api, place, app.signal);
  const { variables } = await readPodEnvironment(api, deployment, app.signal);
  const { kubectl } = toolchain;
  const deps = { api, kubectl, snapshots, place, container, isJvm, inherited: variables.JAVA_TOOL_OPTIONS };
  await app.exclusively(() => app.runPlan(planDebugRollout(deps)), { wait: true });
}

function createDebugger(
  app: App,
  environment: LocalEnvironment,
  { api, engine, toolchain, place: { name: service } }: Session,
  runtime: Runtime,
): Debugger {
  const { nodes } = toolchain;
  const { port: servicePort } = getService(environment, service);
  switch (runtime) {
    case 'jvm':
      return { port: jdwpPort, async prepare() {}, async end() {} };
    case 'node':
      return createNodeDebugger(nodes, { service, servicePort });
    case 'go':
      return createGoDebugger({
        ...{ api, nodes, service, servicePort },
        async loadImage(node) {
          const { paths, exec } = app;
          const { registry } = environment;
          const images = await openImages({ paths, registry, toolchain, exec, architecture: engine.arch });
          const build = async (run: Parameters<typeof images.workshop>[0]) =>
            buildDelveImage(await images.workshop(run));
          const { plan, reference } = planDelve({ load: { nodes, store: images.store }, node, build });
          await app.exclusively(() => app.runPlan(plan), { wait: true, usesCache: true });
          return reference();
        },
      });
  }
}

interface Shown extends Awaited<ReturnType<typeof findDebugged>> {
  readonly service: string;
  readonly localPort: number;
  readonly source: string;
  readonly isRelaxed: boolean;
}

const runtimeNames: Readonly<Record<Runtime, string>> = { node: 'Node.js', jvm: 'JVM', go: 'Go' };

function show({ ui }: App, { pod, isRelaxed, standstill, ...shown }: Shown): void {
  const { service, runtime, localPort } = shown;
  const configurations = toLaunchConfigurations(shown);
  const address = `127.0.0.1:${localPort}`;
  const result: DebugResult = {
    ...{ version: 1, service, pod: pod.metadata.name, runtime, address, port: localPort, configurations },
  };
  const { cyan, dim } = ui.resultColors;
  ui.result(
    result,
    [
      `${service} (${runtimeNames[runtime]}, pod ${pod.metadata.name}): ${cyan(address)}`,
      dim('VS Code, in `configurations` of .vscode/launch.json:'),
      JSON.stringify(configurations.vscode, undefined, 2),
      dim(`JetBrains, as .run/${service}.run.xml:`),
      configurations.jetbrains,
      ...(configurations.delve === undefined ? [] : [dim('Delve:'), configurations.delve]),
    ].join('\n'),
  );
  if (!isRelaxed && standstill !== undefined) {
    const time = toDuration(standstill * 1_000);
    ui.say(
      `after ${time} at a breakpoint, the liveness probe restarts the program; without that: npm run debug -- ${service} --relax-probes`,
    );
  }
  ui.say('open until Ctrl-C');
}

function untilEnded(ended: Promise<never>, signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    ended.catch(reject);
    signal.addEventListener('abort', () => reject(signal.reason));
    if (signal.aborted) reject(signal.reason);
  });
}

async function end(
  { ui }: App,
  { api, place }: Session,
  {
    debug,
    localPort,
    isRolledOut,
  }: {
    readonly debug: Debugger | undefined;
    readonly localPort: number | undefined;
    readonly isRolledOut: boolean;
  },
): Promise<void> {
  try {
    await withDeadline({ timeout: endTimeout }, async (limited) => {
      if (localPort !== undefined) await debug?.end(localPort, limited);
      if (isRolledOut) await endDebugging(api, place, limited);
    });
  } catch (error) {
    if (!isTimeout(error) && !isConnectionLost(error)) throw error;
    const next = isRolledOut ? ': npm run up takes it back' : '';
    ui.warn(`the debugger of ${place.name} could not be ended${next}`);
  }
}
