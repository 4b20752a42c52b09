import { join } from 'node:path';
import { exec } from '../../src/tools/exec.ts';
import type { Checkout } from './checkout.ts';

/** The namespace of all services. */
export const namespace = 'wealist-kind-local';
/** The namespaces to which `up` deploys. */
export const ours = [namespace, 'ingress-nginx'] as const;

interface Condition {
  readonly type: string;
  readonly status: string;
}

/** The fields of objects that the tests read. */
export interface KubernetesObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly spec: {
    /** Node of a pod. */
    readonly nodeName?: string;
    /** Address range of a node's pods. */
    readonly podCIDR?: string;
    readonly containers: readonly { readonly name: string; readonly image: string }[];
  };
  readonly data?: Readonly<Record<string, string>>;
  readonly status: {
    readonly phase: string;
    readonly podIP?: string;
    readonly conditions?: readonly Condition[];
    readonly containerStatuses?: readonly {
      readonly name: string;
      readonly imageID: string;
      readonly restartCount: number;
    }[];
  };
}

/** Path of the kubectl that `up` has installed in the checkout. */
export function kubectlOf({ root }: Checkout): string {
  return join(root, '.wealist/bin/kubectl');
}

export function kubeconfigOf({ root }: Checkout): string {
  return join(root, '.wealist/kubeconfig');
}

/** Runs kubectl on the checkout's cluster. Resolves to both outputs. */
export async function kubectl(checkout: Checkout, ...args: string[]) {
  return exec(kubectlOf(checkout), [`--kubeconfig=${kubeconfigOf(checkout)}`, ...args]);
}

/** Lists objects of a kind, by default in all namespaces. */
export async function listObjects(
  checkout: Checkout,
  kind: string,
  ...args: string[]
): Promise<readonly KubernetesObject[]> {
  const where = args.some((arg) => arg.startsWith('--namespace=')) ? [] : ['--all-namespaces'];
  const { stdout } = await kubectl(checkout, 'get', kind, ...where, ...args, '--output=json');
  return JSON.parse(stdout).items;
}

/** Names of pods that are neither ready nor completed, in these namespaces or in all. */
export async function listUnreadyPods(
  checkout: Checkout,
  ...namespaces: readonly string[]
): Promise<readonly string[]> {
  const pods = await listObjects(checkout, 'pods');
  const isReady = ({ phase, conditions = [] }: KubernetesObject['status']) =>
    phase === 'Succeeded' || conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
  return pods
    .filter(({ metadata }) => namespaces.length === 0 || namespaces.includes(metadata.namespace ?? ''))
    .filter(({ status }) => !isReady(status))
    .map(({ metadata }) => metadata.name);
}

/** The newest revision and status by release, from helm's Secrets. */
export async function readReleases(checkout: Checkout): Promise<Readonly<Record<string, string>>> {
  const secrets = await listObjects(checkout, 'secrets', '--selector=owner=helm');
  const labels = secrets.map(({ metadata }) => metadata.labels ?? {});
  const newestFirst = labels.toSorted((one, other) => Number(other.version) - Number(one.version));
  return Object.fromEntries(
    newestFirst.reverse().map(({ name, version, status }) => [name, `${version} ${status}`]),
  );
}

/** IDs of the node containers of the checkout's cluster, including stopped ones. */
export async function listNodes({ name }: Checkout): Promise<readonly string[]> {
  return docker('ps', '--all', '--format={{.ID}}', `--filter=label=io.x-k8s.kind.cluster=${name}`);
}

/** Addresses of containers in the network of kind. */
export async function listAddresses(containers: readonly string[]): Promise<readonly string[]> {
  if (containers.length === 0) return [];
  return docker('inspect', '--format={{.NetworkSettings.Networks.kind.IPAddress}}', ...containers);
}

/**
 * Starts containers in the network of kind until they occupy all of these addresses; Docker assigns the lowest free one
 * first. Resolves to their IDs.
 */
export async function occupyAddresses(
  addresses: readonly string[],
  image: string,
): Promise<readonly string[]> {
  const containers: string[] = [];
  const options = ['--detach', '--rm', '--network=kind', '--entrypoint=sleep'];
  while (containers.length < 20) {
    const taken = await listAddresses(containers);
    if (addresses.every((address) => taken.includes(address))) break;
    containers.push(...(await docker('run', ...options, image, '900')));
  }
  return containers;
}

/** Lists the images of the engine and of the cluster's node. */
export async function listImages({ name }: Checkout): Promise<readonly string[]> {
  const inEngine = await docker('images', '--no-trunc', '--format={{.Repository}}:{{.Tag}} {{.ID}}');
  const onNode = await docker('exec', nodeOf(name), 'ctr', '--namespace=k8s.io', 'images', 'list', '--quiet');
  return [...inEngine, ...onNode].toSorted();
}

export function nodeOf(cluster: string): string {
  return `${cluster}-control-plane`;
}

/** The output lines of docker. */
export async function docker(...args: string[]): Promise<readonly string[]> {
  const { stdout } = await exec('docker', args);
  return stdout.split('\n').filter(Boolean);
}
