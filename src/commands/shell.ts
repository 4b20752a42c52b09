import { randomBytes } from 'node:crypto';
import { isatty } from 'node:tty';
import { type App, defineCommand } from '../cli/command.ts';
import { selectComponents } from '../config/services.ts';
import { getRunningPod } from '../diagnosis/find-pod.ts';
import type { Snapshot } from '../diagnosis/snapshot.ts';
import { CommandFailure, exitCodes, Failure } from '../lib/failure.ts';
import { type Kubectl, kubectlFailures } from '../tools/kubernetes/kubectl.ts';
import type { Pod } from '../tools/kubernetes/objects.ts';
import { getOwnCluster } from './context/engine.ts';
import { requireWritable } from './context/environment.ts';
import { toWorkload } from './context/forward-targets.ts';
import { handOver } from './context/hand-over.ts';

export const command = defineCommand({
  description:
    'Opens a shell in the newest ready pod, or in the newest running pod if none is ready. A command after the name is run instead of a shell, and its exit code is returned. If the image has no shell, an ephemeral debug container is started in the pod, under the restricted Pod Security Standard and from an image that is already on the node; there the files of the service are below /proc/1/root. The debug container stays in the pod, terminated, until the pod is replaced.',
  arguments: {
    service: {
      value: 'service',
      summary: 'service to open the shell in; also accepted: postgres, redis, s3',
      required: true,
      complete: 'services',
    },
    words: { value: 'command', summary: 'command to run instead of a shell', many: true, isRest: true },
  },
  options: {
    pod: { value: 'name', summary: 'pod to use, if there are several' },
  },
  examples: [
    'npm run shell auth-service',
    'npm run shell -- postgres -- pg_isready -h 127.0.0.1',
    'npm run shell -- auth-service -- env',
  ],
  handsOverTerminal: true,

  async run(app, { service, words, pod: podName }) {
    const environment = requireWritable(app, await app.environment(), 'shell');
    const [component = service] = selectComponents(environment, [service]);
    const { kubectl, snapshots } = await getOwnCluster(app, environment);
    const snapshot = await snapshots.take(app.signal);
    const workload = toWorkload(environment, component);
    const pod =
      podName === undefined ? getRunningPod(snapshot, workload) : getPod(snapshot, workload, podName);
    const target = { kubectl, pod, container: toContainer(pod, component) };
    if (words.length > 0) return runIn(app, target, words);
    const shell = await findShell(app, target);
    if (shell !== undefined) return runIn(app, target, [shell]);
    return debug(app, target, findDebugImage(snapshot, pod));
  },
});

interface ExecTarget {
  readonly kubectl: Kubectl;
  readonly pod: Pod;
  readonly container: string;
}

function getPod(
  snapshot: Snapshot,
  { name, namespace }: ReturnType<typeof toWorkload>,
  podName: string,
): Pod {
  const pod = snapshot.find('Pod', podName, namespace);
  if (pod) return pod;
  throw new Failure(`pod ${podName} of ${name} does not exist`, {
    hint: `npm run kubectl -- -n ${namespace} get pods`,
    exitCode: exitCodes.workload,
  });
}

/** The main container of a pod that may have others, such as sidecars. */
function toContainer({ spec }: Pod, component: string): string {
  return (spec.containers.find(({ name }) => name === component) ?? spec.containers[0])?.name ?? component;
}

function toTargetArgs({ pod: { metadata }, container }: ExecTarget): readonly string[] {
  return [`--namespace=${metadata.namespace}`, metadata.name, `--container=${container}`];
}

async function runIn(app: App, target: ExecTarget, words: readonly string[]): Promise<number> {
  const flags = isTerminal() ? ['--stdin', '--tty'] : ['--stdin'];
  // Full-screen programs need to know the type of the terminal.
  const settings = flags.length > 1 && process.env.TERM ? ['env', `TERM=${process.env.TERM}`] : [];
  return handOver(app, target.kubectl, [
    'exec',
    ...flags,
    ...toTargetArgs(target),
    '--',
    ...settings,
    ...words,
  ]);
}

/** Errors of container runtimes for a program that does not exist. */
const programNotFound = /executable file not found|no such file or directory|stat .*: no such file/i;

/** The preferred shell of the image; undefined when it has no shell. */
async function findShell({ exec, signal }: App, target: ExecTarget): Promise<string | undefined> {
  const [program, ...base] = target.kubectl.command;
  const printShell = ['sh', '-c', 'command -v bash || command -v sh'];
  try {
    const { stdout } = await exec(program, [...base, 'exec', ...toTargetArgs(target), '--', ...printShell], {
      signal,
      failures: kubectlFailures,
    });
    return stdout.trim() || 'sh';
  } catch (error) {
    if (error instanceof CommandFailure && programNotFound.test(error.stderr)) return undefined;
    throw error;
  }
}

/** The image of a data store on the same node. These have a shell, since a script starts each of them. */
function findDebugImage(snapshot: Snapshot, { spec: { nodeName }, metadata }: Pod): string {
  const pods = snapshot.list('Pod').filter((pod) => pod.metadata.namespace === metadata.namespace);
  const names = ['postgres', 'redis', 's3'];
  const containers = pods
    .filter((pod) => pod.spec.nodeName === nodeName)
    .flatMap((pod) => pod.spec.containers)
    .filter(({ name }) => names.includes(name))
    .toSorted((one, other) => names.indexOf(one.name) - names.indexOf(other.name));
  const [first] = containers;
  if (first?.image !== undefined) return first.image;
  throw new Failure('its image has no shell, and no image on the node provides one', {
    hint: 'npm run up postgres',
    exitCode: exitCodes.workload,
  });
}

async function debug(app: App, target: ExecTarget, image: string): Promise<number> {
  const { pod, container, kubectl } = target;
  if (!isTerminal()) {
    throw new Failure(`the image of ${container} has no shell, and a debug container needs a terminal`, {
      hint: `npm run shell -- ${container}, on a terminal`,
      exitCode: exitCodes.workload,
    });
  }
  const name = `shell-${randomBytes(3).toString('hex')}`;
  app.ui.say(
    `${container} has no shell: starting debug container ${name}, the files of ${container} are below /proc/1/root`,
  );
  const settings = [`--image=${image}`, '--image-pull-policy=Never', '--profile=restricted', '--quiet'];
  const where = [`--namespace=${pod.metadata.namespace}`, pod.metadata.name, `--target=${container}`];
  return handOver(app, kubectl, [
    'debug',
    ...['--stdin', '--tty'],
    ...where,
    `--container=${name}`,
    ...settings,
    '--',
    'sh',
  ]);
}

/** Whether input and output are a terminal. */
function isTerminal(): boolean {
  return isatty(0) && isatty(1);
}
