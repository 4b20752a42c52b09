import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { exitCodes, Failure } from '../lib/failure.ts';
import { nodeTypeLabel } from '../lib/labels.ts';
import type { WorkerType } from './schema.ts';

/** What a run adds to `kind/cluster.yaml`. Folders are absolute paths of this machine. */
export interface ClusterSettings {
  readonly name: string;
  /** Reference of the node image. */
  readonly image: string;
  readonly httpPort: number;
  readonly httpsPort: number;
  /** Nodes beside those of the file. */
  readonly workers: readonly WorkerType[];
  /** One folder per namespace and claim; outlives the cluster. */
  readonly volumes: string;
  /** An empty folder whose name is the id of the checkout that owns the cluster. */
  readonly owner: string;
  /** The file of `toKubeletAdditions`. */
  readonly kubelet: string;
}

/** Where a node has the volumes: the path that kind's own storage provisioner uses as well. */
const volumesOnNode = '/var/local-path-provisioner';
/** Mounted so that who owns a cluster can be read off its container, running or not, from its first moment on. */
export const ownerOnNode = '/var/lib/wealist-local/owner';
/** Where systemd, on any node image, reads what is added to the kubelet's unit. */
const kubeletOnNode = '/etc/systemd/system/kubelet.service.d/20-wealist-local.conf';

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
 * gets the ingress's. Every node has the volumes, so that a data store finds its data on whichever it starts.
 * @throws {Failure} when the file does not describe a cluster.
 */
export async function toKindCluster(checkout: string, settings: ClusterSettings): Promise<string> {
  const { name, image, workers, volumes, owner, kubelet } = settings;
  const source = await readSource(checkout);
  const hostPorts: Readonly<Record<number, number>> = { 80: settings.httpPort, 443: settings.httpsPort };
  const mounts = [
    { hostPath: volumes, containerPath: volumesOnNode },
    { hostPath: owner, containerPath: ownerOnNode, readOnly: true },
    { hostPath: kubelet, containerPath: kubeletOnNode, readOnly: true },
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
 * What is added to the unit of the nodes' kubelet. Until kube-proxy knows a Service, what is sent to its address would
 * leave the node for the network outside, where something may answer, and a connection that is kept alive would stay
 * there. Dropped, it is sent again a second later.
 */
export async function toKubeletAdditions(checkout: string): Promise<string> {
  const { networking } = await readSource(checkout);
  // kind's own choice where the file makes none.
  const rule = `--destination ${networking?.serviceSubnet ?? '10.96.0.0/16'} --jump DROP`;
  const lines = ['FORWARD', 'OUTPUT'].map(
    (chain) =>
      `ExecStartPre=-/bin/sh -c "iptables --wait --check ${chain} ${rule} || iptables --wait --append ${chain} ${rule}"`,
  );
  return `${['[Service]', ...lines].join('\n')}\n`;
}

async function readSource(checkout: string): Promise<KindCluster> {
  const source: Partial<KindCluster> | null = parse(
    await readFile(join(checkout, 'kind/cluster.yaml'), 'utf8'),
  );
  if (Array.isArray(source?.nodes) && source.nodes.length > 0) return { ...source, nodes: source.nodes };
  throw new Failure('kind/cluster.yaml has no nodes', {
    hint: 'git checkout kind/cluster.yaml',
    exitCode: exitCodes.usage,
  });
}
