import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { exitCodes, Failure } from '../lib/failure.ts';
import { nodeTypeLabel } from '../lib/labels.ts';
import { parse as findMistakes } from './parse.ts';
import { readText } from './read-text.ts';
import type { WorkerType } from './schema.ts';

/** What a run adds to `kind/cluster.yaml`. Folders are absolute paths of this machine. */
export interface ClusterSettings {
  readonly name: string;
  /** Reference of the node image. */
  readonly image: string;
  readonly httpPort: number;
  readonly httpsPort: number;
  /** Nodes in addition to those of the file. */
  readonly workers: readonly WorkerType[];
  /** Contains one folder per namespace and claim; preserved when the cluster is removed. */
  readonly volumes: string;
  /** A folder whose name is the ID of the checkout that owns the cluster. */
  readonly owner: string;
  /** The file of `toKubeletAdditions`. */
  readonly kubelet: string;
  /** The folder with the files of `readPatches`. */
  readonly patches: string;
}

/** Where the volumes are mounted in a node: the path that kind's own storage provisioner also uses. */
export const volumesOnNode = '/var/local-path-provisioner';
/** This mount shows which checkout owns a node: the engine lists it from creation on, also of a stopped container. */
export const ownerOnNode = '/var/lib/wealist-local/owner';
/** A drop-in file of systemd for the kubelet's unit; the same path in every node image. */
const kubeletOnNode = '/etc/systemd/system/kubelet.service.d/20-wealist-local.conf';
/** Where `kind/cluster.yaml` tells kubeadm to look for its patches. */
const patchesOnNode = '/etc/kubernetes/patches';

interface KindCluster {
  readonly networking?: { readonly serviceSubnet?: string };
  readonly nodes: readonly KindNode[];
}

interface KindNode {
  readonly role?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly extraPortMappings?: readonly { readonly containerPort: number }[];
  readonly extraMounts?: readonly object[];
}

/**
 * The text of kind's configuration: the checkout's `kind/cluster.yaml`, completed. A port mapping without a host port
 * gets that of the ingress. The volumes are mounted in every node, so that a data store finds its data on any of them.
 * @throws {Failure} exit code 2 when the file is not YAML, with the place, or does not describe a cluster.
 */
export async function toKindCluster(checkout: string, settings: ClusterSettings): Promise<string> {
  const { name, image, workers, volumes, owner, kubelet, patches } = settings;
  const source = await readSource(checkout);
  const hostPorts: Readonly<Record<number, number>> = { 80: settings.httpPort, 443: settings.httpsPort };
  const mounts = [
    { hostPath: volumes, containerPath: volumesOnNode },
    { hostPath: owner, containerPath: ownerOnNode, readOnly: true },
    { hostPath: kubelet, containerPath: kubeletOnNode, readOnly: true },
    { hostPath: patches, containerPath: patchesOnNode, readOnly: true },
  ];
  const added = workers.map((type): KindNode => ({ role: 'worker', labels: { [nodeTypeLabel]: type } }));
  const nodes = [...source.nodes, ...added].map((node: KindNode) => ({
    ...node,
    image,
    extraPortMappings: node.extraPortMappings?.map((mapping) => ({
      hostPort: hostPorts[mapping.containerPort],
      ...mapping,
    })),
    extraMounts: [...(node.extraMounts ?? []), ...mounts],
  }));
  return stringify({ ...source, name, nodes });
}

/**
 * The drop-in file for the nodes' kubelet: it drops packets to Services that kube-proxy does not know yet. They would
 * leave the node for the network outside, where another program may accept the connection and keep it alive. A dropped
 * packet is sent again a second later.
 * @throws {Failure} when `kind/cluster.yaml` does not describe a cluster.
 */
export async function toKubeletAdditions(checkout: string): Promise<string> {
  const { networking } = await readSource(checkout);
  // kind's default.
  const rule = `--destination ${networking?.serviceSubnet ?? '10.96.0.0/16'} --jump DROP`;
  const lines = ['FORWARD', 'OUTPUT'].map(
    (chain) =>
      `ExecStartPre=-/bin/sh -c "iptables --wait --check ${chain} ${rule} || iptables --wait --append ${chain} ${rule}"`,
  );
  return `${['[Service]', ...lines].join('\n')}\n`;
}

/** The patches of kubeadm's own files, by file name: those of `kind/patches`. None when the folder is missing. */
export async function readPatches(checkout: string): Promise<ReadonlyMap<string, string>> {
  const folder = join(checkout, patchesFolder);
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const files = names.filter((name) => name.endsWith('.yaml')).sort();
  const texts = await Promise.all(files.map((name) => readText(checkout, `${patchesFolder}/${name}`)));
  return new Map(files.map((name, at) => [name, texts[at] ?? '']));
}

const file = 'kind/cluster.yaml';
const patchesFolder = 'kind/patches';

async function readSource(checkout: string): Promise<KindCluster> {
  const text = await readText(checkout, file);
  // Parsed for its mistakes, which have their places; kind knows more types of values than an environment has.
  if (text !== undefined) findMistakes(text, file);
  const source: unknown = text === undefined ? undefined : parse(text);
  if (isKindCluster(source)) return source;
  throw new Failure(
    `${file} ${text === undefined ? 'does not exist' : 'has no nodes, or others than kind knows'}`,
    {
      hint: `git checkout ${file}`,
      exitCode: exitCodes.usage,
    },
  );
}

/** Whether it has what is read here; kind checks the rest. */
function isKindCluster(source: unknown): source is KindCluster {
  if (!isMap(source) || !Array.isArray(source.nodes) || source.nodes.length === 0) return false;
  const { networking = {}, nodes } = source;
  const isNetworking = isMap(networking) && isTextOrMissing(networking.serviceSubnet);
  return (
    isNetworking &&
    nodes.every((node) => isMap(node) && [node.extraPortMappings, node.extraMounts].every(isMaps))
  );
}

function isMaps(value: unknown): boolean {
  return value === undefined || (Array.isArray(value) && value.every(isMap));
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTextOrMissing(value: unknown): boolean {
  return value === undefined || typeof value === 'string';
}
