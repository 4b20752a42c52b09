import type { Image } from '../../lib/oci.ts';
import type { Run } from '../../plan/plan.ts';
import type { DockerCli } from '../../tools/docker/cli.ts';
import type { GoProgram } from '../../tools/go.ts';
import { packArchive } from '../store/archive.ts';
import type { Store } from '../store/store.ts';
import type { Workshop } from './workshop.ts';

/** The recipe of a Kind node: its file system, and the images that must be on it before it has a network. */
export interface NodeRecipe {
  /** Minutes on two cores with nothing cached. */
  readonly minutes: number;
  readonly kubernetesVersion: string;
  /** kubectl of the same source, for where no release of it can be downloaded. */
  readonly kubectl: GoProgram;
  build(workshop: Workshop): Promise<NodeImages>;
}

export interface NodeImages {
  readonly node: Image;
  /** Reference → image. */
  readonly preload: Readonly<Record<string, Image>>;
}

/**
 * Starts containerd for the time of one import, inside a container of the unfinished node. Nothing is unpacked: that
 * would need mounts, which a container may not make, and the node's kubelet does it at the first start.
 */
const preloadScript = `
set -eu
containerd --log-level=error >/tmp/containerd.log 2>&1 &
until ctr version >/dev/null 2>&1; do
  kill -0 $! || { cat /tmp/containerd.log >&2; exit 1; }
  sleep 0.1
done
ctr --namespace=k8s.io images import --no-unpack -
for image in $(ctr --namespace=k8s.io images ls --quiet); do
  # The kubelet's garbage collection leaves a pinned image alone.
  ctr --namespace=k8s.io images label "$image" io.cri-containerd.pinned=pinned >/dev/null
done
kill $!
wait $! || true
rm -rf /tmp/containerd.log /run/containerd /var/lib/containerd/tmpmounts
`;

/** Makes the engine's image `tag` of a node's parts: loads its file system, imports the preload into it, keeps that. */
export async function assembleNode(
  { node, preload }: NodeImages,
  {
    tag,
    store,
    docker,
    run,
  }: { tag: string; store: Store; docker: Pick<DockerCli, 'load' | 'runAndCommit'>; run: Run },
): Promise<void> {
  const unfinished = `${tag}-unfinished`;
  run.report('loading the node’s file system into the engine');
  await docker.load(packArchive(store, [{ reference: unfinished, image: node }]), run.signal);
  run.report('importing the control plane’s images into the node');
  const images = Object.entries(preload).map(([reference, image]) => ({ reference, image }));
  const { config } = JSON.parse(node.config) as { config: { Entrypoint: readonly string[] } };
  await docker.runAndCommit(unfinished, ['/bin/sh', '-c', preloadScript], {
    tag,
    changes: [`ENTRYPOINT ${JSON.stringify(config.Entrypoint)}`, 'CMD []', 'VOLUME /var'],
    input: packArchive(store, images),
    signal: run.signal,
  });
}
