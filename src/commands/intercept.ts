import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type App, defineCommand } from '../cli/command.ts';
import { listNodeNames } from '../cluster/ownership.ts';
import { infrastructure, type LocalEnvironment } from '../config/schema.ts';
import { getService } from '../config/services.ts';
import { findDeployment } from '../diagnosis/service-snapshot.ts';
import { openImages } from '../images/open-images.ts';
import { envFormats } from '../intercept/env-file.ts';
import { readPodEnvironment } from '../intercept/pod-environment.ts';
import { toProtocol } from '../intercept/service-route.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { planAgent } from '../plans/intercept.ts';
import { claimService, type InterceptDeps } from '../steps/intercept-service.ts';
import { isListening } from '../tools/dial-loopback.ts';
import { followApi } from '../tools/kubernetes/follow-api.ts';
import type { Service } from '../tools/kubernetes/objects.ts';
import { toTable } from '../ui/table.ts';
import { getRunningCluster } from './context/engine.ts';
import { requireWritable } from './context/environment.ts';
import { toForwardTarget } from './context/forward-targets.ts';
import { describeOwner, openForwards, toUpstream } from './context/open-forwards.ts';
import { findServiceFolder } from './context/service-folder.ts';
import { openSession } from './context/session.ts';
import { holdIntercept } from './intercept/hold-intercept.ts';
import {
  listAddressed,
  type ProgramEnvironment,
  toProgramEnvironment,
  writeEnvFile,
} from './intercept/program-environment.ts';
import { ProgramEnded, startProgram } from './intercept/run-program.ts';

export const command = defineCommand({
  description:
    "Runs one service as a program of this machine, under a debugger or with hot reload, while everything else stays in the cluster. All requests to the service, through the ingress and from other services, go to 127.0.0.1. The program gets the environment of the service's container, with each address of the cluster replaced by a forwarded port. Without a command, an IDE starts the program: requests go to it once it listens. Ctrl-C, or the end of the command, gives the service back to its pods, and its exit code is returned.",
  arguments: {
    service: { value: 'service', summary: 'service to intercept', required: true, complete: 'services' },
    words: {
      value: 'command',
      summary: "program to run in the service's folder, with its arguments",
      many: true,
      isRest: true,
    },
  },
  options: {
    port: {
      value: 'port',
      summary:
        "port of this machine on which the program listens (default: the service's, 3000 for the frontend)",
      parse: toPort,
      example: '5173',
    },
    envFile: { value: 'file', summary: 'write the environment to this file as well (0600), for an IDE' },
    format: { value: 'format', summary: 'format of the file (default: dotenv)', choices: envFormats },
    hosts: { summary: 'print lines for /etc/hosts, for a program that insists on the names of the cluster' },
  },
  examples: [
    'npm run intercept board-service -- go run ./cmd/api',
    'npm run intercept board-service',
    'npm run intercept -- frontend --port 5173 -- npx vite',
    'npm run intercept -- board-service --env-file .env.board',
  ],
  handsOverTerminal: true,

  async run(app, { service, words, port, envFile, format = 'dotenv', hosts }) {
    const environment = requireWritable(app, await app.environment(), 'intercept');
    const { port: servicePort } = getService(environment, service);
    const localPort = port ?? toForwardTarget(environment, service).wantedPort;
    const session = await connect(app, environment, service);
    const { api, deps, snapshots, images } = session;
    const { pod, names, namespace } = await readPod(session, app.signal);
    const known = new Set([...Object.keys(environment.services), ...infrastructure]);
    const addressed = listAddressed(pod.variables, service, { namespace, services: names });
    const targets = addressed
      .filter((name) => known.has(name))
      .map((name) => toForwardTarget(environment, name));
    if (hosts) return printHosts(app, addressed);
    const claimed = await claimService(deps, app.signal);
    await requirePort(app, localPort, words.length > 0);

    // The forwards last longer than the run: a request that is being served may need them.
    const over = new AbortController();
    const forwards = await openForwards({ app, api, snapshots, namespace, signal: over.signal }, targets);
    try {
      const addresses = targets.map(({ name, port: target }, at) => {
        return { name, port: target, localPort: forwards.ports[at] ?? target };
      });
      const own = { name: service, port: servicePort, localPort };
      const folder = join(app.paths.state, 'intercept', service);
      const prepared = await toProgramEnvironment(pod, localPort, folder, {
        namespace,
        addresses: [...addresses, own],
        services: names,
      });
      const file = await writeEnvFile(envFile ?? join(folder, 'environment'), prepared.variables, format);
      const program = await readFile(join(app.paths.checkout, 'src/intercept/agent.js'), 'utf8');
      const load = { nodes: session.nodes, store: images.store };
      const plan = () => planAgent({ ...deps, chain: images.chain, load, port: servicePort, program });
      await app.exclusively(() => app.runPlan(plan()), { wait: true, usesCache: true });
      app.ui.say(describeEnvironment(prepared, file, addresses, app));

      const end = new AbortController();
      const onAbort = () => end.abort(app.signal.reason);
      app.signal.addEventListener('abort', onAbort);
      if (app.signal.aborted) onAbort();
      forwards.ended.catch((error) => end.abort(error));
      const running = startProgram(app, words, {
        folder: await findFolder(app, environment, service),
        env: prepared.variables,
      });
      running?.ended.then(
        (code) => end.abort(new ProgramEnded(code)),
        (error) => end.abort(error),
      );
      try {
        await holdIntercept({
          app,
          deps,
          localPort,
          protocol: toProtocol(claimed, servicePort),
          findPod: toUpstream(
            { component: service, port: servicePort },
            { api, namespace },
            forwards.podTracker,
          ).find,
          createAgent: async () => void (await app.runPlan(plan())),
          command: words.length === 0 ? undefined : words.join(' ').slice(0, longestCommand),
          onReady: () => app.ui.say(`${service} is served by 127.0.0.1:${localPort} until Ctrl-C`),
          signal: end.signal,
        });
      } catch (error) {
        // Timers reject with an error of their own.
        const reason: unknown = end.signal.aborted ? end.signal.reason : error;
        if (reason instanceof ProgramEnded) return reason.exitCode;
        throw reason;
      } finally {
        await running?.stop();
      }
    } finally {
      over.abort();
      forwards.close();
    }
  },
});

/** Characters of the command that `status` shows. */
const longestCommand = 80;

async function connect(app: App, environment: LocalEnvironment, name: string) {
  const { paths, exec, signal } = app;
  const { namespace, registry } = environment;
  const { engine, name: cluster } = await getRunningCluster(app, environment);
  const { toolchain, snapshots, openApi } = openSession(app, engine, cluster);
  const [images, api, nodeNames] = await Promise.all([
    openImages({ paths, registry, toolchain, exec, architecture: engine.arch }),
    followApi(openApi),
    listNodeNames(toolchain.docker, cluster, signal),
  ]);
  const { nodes } = toolchain;
  const deps: InterceptDeps = { api, nodes, nodeNames, place: { namespace, name } };
  return { api, deps, nodes, snapshots, images };
}

/** What the service's container gets, and the names of all Services beside it. */
async function readPod({ api, deps: { place } }: Awaited<ReturnType<typeof connect>>, signal: AbortSignal) {
  const { namespace, name } = place;
  const [deployment, services] = await Promise.all([
    findDeployment(api, place, signal),
    api.get<{ readonly items: readonly Service[] }>(`/api/v1/namespaces/${namespace}/services`, signal),
  ]);
  if (!deployment) {
    throw new Failure(`Deployment ${name} does not exist`, {
      hint: `npm run up -- ${name}`,
      exitCode: exitCodes.workload,
    });
  }
  const pod = await readPodEnvironment(api, deployment, signal);
  return { pod, namespace, names: services.items.map(({ metadata }) => metadata.name) };
}

/** @throws {Failure} exit code 4 when another program has the port of the one that is to be started. */
async function requirePort(app: App, port: number, isStarted: boolean): Promise<void> {
  if (!isStarted || !(await isListening(port, app.signal))) return;
  throw new Failure(`port ${port} is taken${await describeOwner(app, port)}`, {
    hint: 'end that program, or name another port with --port',
    exitCode: exitCodes.port,
  });
}

/** The service's own folder, unless npm was called in another folder than the checkout's. */
async function findFolder(app: App, environment: LocalEnvironment, service: string): Promise<string> {
  const calledIn = process.env.INIT_CWD;
  if (calledIn !== undefined && resolve(calledIn) !== app.paths.checkout) return calledIn;
  return findServiceFolder(app, environment, service);
}

function toPort(text: string): number | undefined {
  const port = Number(text);
  return /^\d+$/.test(text) && port >= 1 && port <= 65_535 ? port : undefined;
}

function printHosts({ ui }: App, names: readonly string[]): void {
  ui.result({ hosts: names.map((name) => ({ address: '127.0.0.1', name })) }, `127.0.0.1 ${names.join(' ')}`);
}

function describeEnvironment(
  { variables, changed, unreachable, podOnly, files }: ProgramEnvironment,
  file: string,
  addresses: readonly { readonly name: string; readonly localPort: number }[],
  { ui }: App,
): string {
  const rows = addresses.map(({ name, localPort }) => [name, `127.0.0.1:${localPort}`]);
  return [
    `environment: ${file}`,
    ui.colors.dim(
      `${Object.keys(variables).length} variables, with addresses of this machine: ${changed.join(', ')}`,
    ),
    ...unreachable.map(
      ({ key, service }) => `${key} keeps the address of ${service}, to which no port is forwarded`,
    ),
    ...(podOnly.length === 0 ? [] : [`without a value outside of a pod: ${podOnly.join(', ')}`]),
    ...files.map(({ path, copy }) => `${path}: ${copy}`),
    ...(rows.length === 0 ? [] : [toTable(rows)]),
  ].join('\n');
}
