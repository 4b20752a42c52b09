import { randomBytes } from 'node:crypto';
import { isatty } from 'node:tty';
import { type App, defineCommand } from '../cli/command.ts';
import { selectComponents } from '../config/services.ts';
import { getRunningPod } from '../diagnosis/find-pod.ts';
import type { Snapshot } from '../diagnosis/snapshot.ts';
import { CommandFailure, exitCodes, Failure } from '../lib/failure.ts';
import { type Kubectl, kubectlFailures } from '../tools/kubernetes/kubectl.ts';
import type { Pod } from '../tools/kubernetes/objects.ts';
import { toWorkload } from './context/forward-targets.ts';
import { requireWritable } from './context/guard.ts';
import { handOver } from './context/hand-over.ts';
import { getOwnCluster } from './context/own-cluster.ts';

export const command = defineCommand({
  summary: 'a shell, or one command, in the pod of a service or data store',
  description:
    'Opens a shell in the newest pod that is ready, else in the newest that runs. What follows the name is run in its place, and its exit code is that of the command. An image without a shell gets a debug container beside its program, under the restricted Pod Security Standard, from an image that is on the node already: the files of the service are below /proc/1/root there. Such a container stays in the pod, ended, until the pod is replaced.',
  arguments: {
    service: {
      value: 'service',
      summary: 'postgres, redis and s3 are some, too',
      required: true,
      complete: 'services',
    },
    words: { value: 'command', summary: 'what to run in place of a shell', many: true, isRest: true },
  },
  options: {
    pod: { value: 'name', summary: 'this pod, where there are several' },
  },
  examples: [
    'npm run shell auth-service',
    'npm run shell -- postgres -- pg_isready -h 127.0.0.1',
    'npm run shell -- auth-service -- env',
  ],
  handsOver: true,

  async run(app, { service, words, pod: podName }) {
    const environment = requireWritable(app, await app.environment(), 'shell');
    const [part = service] = selectComponents(environment, [service]);
    const { kubectl, snapshots } = await getOwnCluster(app, environment);
    const snapshot = await snapshots.take(app.signal);
    const workload = toWorkload(environment, part);
    const pod =
      podName === undefined ? getRunningPod(snapshot, workload) : getPod(snapshot, workload, podName);
    const place = { kubectl, pod, container: toContainer(pod, part) };
    if (words.length > 0) return runIn(app, place, words);
    const shell = await findShell(app, place);
    if (shell !== undefined) return runIn(app, place, [shell]);
    return debug(app, place, findDebugImage(snapshot, pod));
  },
});

interface Place {
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
  throw new Failure(`there is no pod ${podName} of ${name}`, {
    hint: `npm run kubectl -- -n ${namespace} get pods`,
    exitCode: exitCodes.workload,
  });
}

/** The program's own, beside which others may run. */
function toContainer({ spec }: Pod, part: string): string {
  return (spec.containers.find(({ name }) => name === part) ?? spec.containers[0])?.name ?? part;
}

function toTarget({ pod: { metadata }, container }: Place): readonly string[] {
  return [`--namespace=${metadata.namespace}`, metadata.name, `--container=${container}`];
}

async function runIn(app: App, place: Place, words: readonly string[]): Promise<number> {
  const flags = isTerminal() ? ['--stdin', '--tty'] : ['--stdin'];
  // A program that draws asks what the terminal can do.
  const settings = flags.length > 1 && process.env.TERM ? ['env', `TERM=${process.env.TERM}`] : [];
  return handOver(app, place.kubectl, ['exec', ...flags, ...toTarget(place), '--', ...settings, ...words]);
}

/** What a runtime says of a program that is not there; any other failure is one. */
const noProgram = /executable file not found|no such file or directory|stat .*: no such file/i;

/** The best shell of the image; undefined when it has none. */
async function findShell({ exec, signal }: App, place: Place): Promise<string | undefined> {
  const [program, ...base] = place.kubectl.command;
  const look = ['sh', '-c', 'command -v bash || command -v sh'];
  try {
    const args = [...base, 'exec', ...toTarget(place), '--', ...look];
    const { stdout } = await exec(program, args, { signal, failures: kubectlFailures });
    return stdout.trim() || 'sh';
  } catch (error) {
    if (error instanceof CommandFailure && noProgram.test(error.stderr)) return undefined;
    throw error;
  }
}

/** One of our data stores' images on the same node: a script starts each, so that there is a shell in it. */
function findDebugImage(snapshot: Snapshot, { spec: { nodeName }, metadata }: Pod): string {
  const pods = snapshot.list('Pod').filter((pod) => pod.metadata.namespace === metadata.namespace);
  const names = ['postgres', 'redis', 's3'];
  const containers = pods
    .filter((pod) => pod.spec.nodeName === nodeName)
    .flatMap((pod) => pod.spec.containers)
    .filter(({ name }) => names.includes(name))
    .toSorted((one, other) => names.indexOf(one.name) - names.indexOf(other.name));
  const [first] = containers;
  if (first) return first.image;
  throw new Failure('its image has no shell, and no image on the node lends one', {
    hint: 'npm run up postgres',
    exitCode: exitCodes.workload,
  });
}

async function debug(app: App, place: Place, image: string): Promise<number> {
  const { pod, container, kubectl } = place;
  if (!isTerminal()) {
    throw new Failure(`the image of ${container} has no shell, and a container beside it needs a terminal`, {
      hint: `npm run shell -- ${container}, on a terminal`,
      exitCode: exitCodes.workload,
    });
  }
  const name = `shell-${randomBytes(3).toString('hex')}`;
  app.ui.say(`${container} has no shell: container ${name} beside it, its files are below /proc/1/root`);
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

/** Somebody types, and sees what comes of it. */
function isTerminal(): boolean {
  return isatty(0) && isatty(1);
}
