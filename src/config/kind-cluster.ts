import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { exitCodes, Failure } from '../lib/failure.ts';

/** What a run adds to `kind/cluster.yaml`. Folders are absolute paths of this machine. */
export interface ClusterSettings {
  readonly name: string;
  /** Reference of the node image. */
  readonly image: string;
  readonly httpPort: number;
  readonly httpsPort: number;
  /** One folder per namespace and claim; outlives the cluster. */
  readonly volumes: string;
  /** An empty folder whose name is the id of the checkout that owns the cluster. */
  readonly owner: string;
}

/** Where a node has the volumes: the path that kind's own storage provisioner uses as well. */
const volumesOnNode = '/var/local-path-provisioner';
/** Mounted so that who owns a cluster can be read off its container, running or not, from its first moment on. */
export const ownerOnNode = '/var/lib/wealist-local/owner';

interface KindNode {
  readonly role?: string;
  readonly extraPortMappings?: readonly { readonly containerPort: number }[];
  readonly extraMounts?: readonly object[];
}

/**
 * The text of kind's configuration: the checkout's `kind/cluster.yaml`, completed. A port mapping without a host port
 * gets the ingress's.
 * @throws {Failure} when the file does not describe a cluster.
 */
export async function toKindCluster(checkout: string, settings: ClusterSettings): Promise<string> {
  const { name, image, volumes, owner } = settings;
  const source = parse(await readFile(join(checkout, 'kind/cluster.yaml'), 'utf8')) as {
    nodes?: readonly KindNode[];
  };
  if (!Array.isArray(source?.nodes) || source.nodes.length === 0) {
    throw new Failure('kind/cluster.yaml has no nodes', {
      hint: 'git checkout kind/cluster.yaml',
      exitCode: exitCodes.usage,
    });
  }
  const hostPorts: Readonly<Record<number, number>> = { 80: settings.httpPort, 443: settings.httpsPort };
  const mounts = [
    { hostPath: volumes, containerPath: volumesOnNode },
    { hostPath: owner, containerPath: ownerOnNode, readOnly: true },
  ];
  const nodes = source.nodes.map((node: KindNode) => ({
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
