import type { Image } from '../../lib/oci.ts';
import type { Run } from '../../plan/plan.ts';
import type { DockerCli } from '../../tools/docker/cli.ts';
import type { GoProgram } from '../../tools/go.ts';
import { packArchive } from '../store/archive.ts';
import type { Store } from '../store/store.ts';
import type { Workshop } from './workshop.ts';

/** The recipe of a kind node image: its root file system, and the images it needs before its network works. */
export interface NodeRecipe {
  /** Minutes on two cores with nothing cached. */
  readonly minutes: number;
  readonly kubernetesVersion: string;
  /** kubectl from the same source, built where its release cannot be downloaded. */
  readonly kubectl: GoProgram;
  build(workshop: Workshop): Promise<NodeImages>;
}

export interface NodeImages {
  readonly node: Image;
  /** Reference → image. */
  readonly preload: Readonly<Record<string, Image>>;
}

/**
 * Starts containerd for one import inside a container of the unfinished node. Images are not unpacked: that would need
 * mounts, which an unprivileged container cannot make, and the node unpacks them at its first start.
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

/** Creates the node image `tag` in the engine: loads the root file system, imports the preload into it, commits it. */
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
  run.report("loading the node's file system into the engine");
  await docker.load(packArchive(store, [{ reference: unfinished, image: node }]), run.signal);
  run.report("importing the control plane's images into the node image");
  const images = Object.entries(preload).map(([reference, image]) => ({ reference, image }));
  const { config } = JSON.parse(node.config) as { config: { Entrypoint: readonly string[] } };
  await docker.runAndCommit(unfinished, ['/bin/sh', '-c', preloadScript], {
    tag,
    changes: [`ENTRYPOINT ${JSON.stringify(config.Entrypoint)}`, 'CMD []', 'VOLUME /var'],
    input: packArchive(store, images),
    signal: run.signal,
  });
}
