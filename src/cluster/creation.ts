import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type ClusterSettings,
  readPatches,
  toKindCluster,
  toKubeletAdditions,
} from '../config/kind-cluster.ts';
import type { WorkerType } from '../config/schema.ts';
import type { PublicPorts } from '../config/values.ts';
import { hashContent } from '../lib/hash.ts';
import { isMissing } from '../state/atomic-file.ts';
import type { Paths } from '../state/paths.ts';
import type { FoundCluster } from './ownership.ts';

/** What a cluster is created from. */
export interface Creation {
  readonly settings: ClusterSettings;
  /** kind's configuration. */
  readonly config: string;
  /** Additional configuration of the nodes' kubelet, in the file that the settings name. */
  readonly kubelet: string;
  /** Files of the folder of patches that the settings name, by name. */
  readonly patches: ReadonlyMap<string, string>;
}

export interface CreationOptions {
  readonly paths: Pick<Paths, 'checkout' | 'data'>;
  readonly checkoutId: string;
  readonly cluster: { readonly name: string; readonly nodes: readonly WorkerType[] } & PublicPorts;
  /** Reference of the node image. */
  readonly image: string;
}

/** @throws {Failure} when `kind/cluster.yaml` does not describe a cluster. */
export async function toCreation({ paths, checkoutId, cluster, image }: CreationOptions): Promise<Creation> {
  const { name, httpPort, httpsPort, nodes: workers } = cluster;
  const data = join(paths.data, name);
  const mounted = {
    volumes: join(data, 'volumes'),
    owner: join(data, 'owners', checkoutId),
    kubelet: join(data, 'kubelet.conf'),
    patches: join(data, 'kubeadm-patches'),
  };
  const settings = { name, image, httpPort, httpsPort, workers, ...mounted };
  return {
    settings,
    config: await toKindCluster(paths.checkout, settings),
    kubelet: await toKubeletAdditions(paths.checkout),
    patches: await readPatches(paths.checkout),
  };
}

/**
 * The file that records that the creation of this container was completed: a node without it is incomplete. It is in
 * the folder whose mount shows the cluster's owner, so that it can be read while the node is stopped.
 */
export function toCreatedFile(
  { settings, config }: Pick<Creation, 'settings' | 'config'>,
  container: string,
): { readonly path: string; readonly text: string } {
  return { path: toPath(settings.owner), text: `${container} ${toDigest(config)}\n` };
}

/**
 * Digest of the configuration from which this cluster was created: see `toDigest`. Undefined when its creation was not
 * completed. Read from the folder that the cluster mounts, which may be in another data folder than this run's.
 */
export async function findCreated({
  id,
  ownerFolder,
}: Pick<FoundCluster, 'id' | 'ownerFolder'>): Promise<string | undefined> {
  if (ownerFolder === undefined) return undefined;
  const text = await readFile(toPath(ownerFolder), 'utf8').catch((error) => {
    if (!isMissing(error)) throw error;
    return '';
  });
  const [created, digest = ''] = text.trim().split(' ');
  return created === id ? digest : undefined;
}

function toPath(owner: string): string {
  return join(owner, 'created');
}

/** Tells kind's configuration from another one. */
export function toDigest(config: string): string {
  return hashContent(config).slice(0, 16);
}
