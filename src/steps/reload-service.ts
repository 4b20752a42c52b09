import { findRunning, listRetainedImages, runsImage } from '../diagnosis/running-image.ts';
import { takeServiceSnapshot } from '../diagnosis/service-snapshot.ts';
import type { Snapshots } from '../diagnosis/snapshot.ts';
import type { ServiceImage, ServiceImages } from '../images/build/service-image.ts';
import { toRepository } from '../images/built-reference.ts';
import { openServiceLoad } from '../images/load/service-load.ts';
import type { Store } from '../images/store/store.ts';
import { findOldServiceImages } from '../images/store/unused-entries.ts';
import { imageId } from '../lib/oci.ts';
import type { Watch } from '../lib/watchdog.ts';
import type { Run, Step } from '../plan/plan.ts';
import type { ApiServer } from '../tools/kubernetes/api-server.ts';
import type { Toolchain } from '../tools/toolchain.ts';
import { replaceImage } from './replace-image.ts';

export interface ReloadServiceDeps {
  readonly toolchain: Pick<Toolchain, 'kubectl' | 'nodes'>;
  /** Ends calls to the cluster that cannot end by themselves. */
  readonly watch: Watch;
  readonly api: ApiServer;
  readonly store: Store;
  readonly serviceImages: ServiceImages;
  readonly snapshots: Snapshots;
  /** All nodes on which its pods may start. */
  readonly nodeNames: readonly string[];
  readonly namespace: string;
}

/** Result of a reload. */
export interface Reloaded {
  readonly service: string;
  readonly image: string;
  readonly changed: boolean;
  /** Milliseconds by phase; empty for an unchanged service. */
  readonly phases: Readonly<Record<string, number>>;
}

/** The service runs its current source: built, loaded onto every node, rolled out, and checked by the pods' image IDs. */
export function reloadService(
  deps: ReloadServiceDeps,
  name: string,
  onReloaded: (reloaded: Reloaded) => void,
): Step {
  return {
    title: name,

    async isDone({ signal }) {
      const image = await findRunningImage(deps, name, signal);
      if (!image) return false;
      onReloaded({ service: name, image: image.reference, changed: false, phases: {} });
      return `already running ${image.reference}`;
    },

    async apply(run) {
      onReloaded(await reload(deps, name, run));
    },
  };
}

/** The image of the current source if the service's pods run it. */
export async function findRunningImage(
  { api, namespace, serviceImages }: ReloadServiceDeps,
  name: string,
  signal: AbortSignal,
): Promise<ServiceImage | undefined> {
  const place = { namespace, name };
  const [image, snapshot] = await Promise.all([
    serviceImages.find(name),
    takeServiceSnapshot(api, place, signal),
  ]);
  return image && runsImage(findRunning(snapshot, place), imageId(image.image)) ? image : undefined;
}

/** Builds, loads and rolls out. @throws {Failure} of the phase that failed; the previous pods then keep serving. */
export async function reload(
  { toolchain, api, store, serviceImages, snapshots, nodeNames, namespace }: ReloadServiceDeps,
  name: string,
  run: Run,
): Promise<Reloaded> {
  const phases: Record<string, number> = {};
  const measure = async <T>(phase: string, work: () => Promise<T>): Promise<T> => {
    const start = performance.now();
    try {
      return await work();
    } finally {
      const milliseconds = performance.now() - start;
      phases[phase] = milliseconds;
      run.endPhase?.(phase, milliseconds);
    }
  };

  const place = { namespace, name };
  run.report('building');
  const load = openServiceLoad({ nodes: toolchain.nodes, store, nodeNames }, toRepository(name), run.signal);
  const image = await measure(
    'build',
    async () => (await serviceImages.find(name)) ?? serviceImages.build(name, run),
  ).catch((error) => {
    load.close();
    throw error;
  });
  run.report('loading');
  const [keep] = await measure('load', () =>
    Promise.all([
      takeServiceSnapshot(api, place, run.signal).then((before) => listRetainedImages(before, place)),
      load.load(image, run),
    ]),
  );
  run.report('rolling out');
  const { reference, isStandIn } = image;
  const wanted = { reference, id: imageId(image.image), isStandIn };
  const waitUntilUnrouted = async (addresses: Promise<readonly string[]>, signal: AbortSignal) => {
    await Promise.all(nodeNames.map((node) => toolchain.nodes.waitUntilUnrouted(node, addresses, signal)));
  };
  await measure('roll out', () =>
    Promise.all([
      replaceImage({ api, kubectl: toolchain.kubectl, snapshots, place, waitUntilUnrouted }, wanted, run),
      // Cleanup runs during the rollout, which needs no other work from here.
      load.removeOld(image, keep, run),
      store.list().then((contents) => store.remove(findOldServiceImages(contents, name, Date.now()))),
    ]),
  );
  return { service: name, image: image.reference, changed: true, phases };
}
