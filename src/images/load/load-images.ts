import { CommandFailure, exitCodes, Failure } from '../../lib/failure.ts';
import { type Digest, digestOf, toChainIds, toManifest } from '../../lib/oci.ts';
import type { Run } from '../../plan/plan.ts';
import type { NodeContent, NodeLoad, RemovedImages } from '../../tools/docker/node-image-store.ts';
import type { Nodes } from '../../tools/docker/nodes.ts';
import { type NamedImage, packArchive, uniqueLayers } from '../store/archive.ts';
import type { Store } from '../store/store.ts';

export interface LoadDeps {
  readonly nodes: Nodes;
  readonly store: Store;
}

/** The images that the node does not have under their reference with exactly this content. */
export function findMissingImages<I extends NamedImage>(
  wanted: readonly I[],
  { images }: Pick<NodeContent, 'images'>,
): readonly I[] {
  return wanted.filter(({ reference, image }) => images.get(reference) !== digestOf(toManifest(image)));
}

/**
 * Brings images onto a node, but for those it has; only the layers that it lacks travel. A node whose garbage
 * collection has just taken a layer that was counted on gets everything, said in one line.
 * @throws {Failure} when the node does not have every image afterwards.
 */
export async function loadImages(
  wanted: readonly NamedImage[],
  node: string,
  { nodes, store }: LoadDeps,
  { signal, report }: Run,
  opened: NodeLoad = nodes.openLoad(node, toQuery(wanted), signal),
): Promise<void> {
  const content = await opened.content;
  const images = findMissingImages(wanted, content);
  if (images.length === 0) {
    opened.close();
    return;
  }
  const skip = findPresentLayers(content.layers, images);
  const travelling = uniqueLayers(images).filter(({ digest }) => !skip.has(digest));
  const megabytes = travelling.reduce((sum, { size }) => sum + size, 0) / 1e6;
  report(`${images.length} images, ${travelling.length} layers, ${megabytes.toFixed(1)} MB`);
  const loaded = await opened.importImages(packArchive(store, images, skip)).catch(async (error) => {
    signal.throwIfAborted();
    if (skip.size === 0) throw error;
    report('the node has lost a layer it had: loading everything');
    // A failed import leaves the name behind, with nothing under it.
    const query = toQuery(images);
    await nodes.removeImages(node, { ...query, digests: [] }, signal);
    return nodes.openLoad(node, query, signal).importImages(packArchive(store, images));
  });
  const [missing] = findMissingImages(images, { images: loaded });
  if (missing) {
    throw new Failure(`image ${missing.reference} is not on node ${node} after it was loaded`, {
      hint: 'npm run doctor',
      exitCode: exitCodes.image,
    });
  }
}

/** What tells whether these images are there. */
export function toQuery(images: readonly NamedImage[]) {
  return { references: images.map(({ reference }) => reference) };
}

/** Brings a service's image to all nodes. */
export interface ServiceLoad {
  load(image: NamedImage, run: Run): Promise<void>;
  /** Once it is there: older images of the service go from the nodes, but for these references. */
  removeOld(image: NamedImage, keep: ReadonlySet<string>, run: Run): Promise<void>;
  /** Nothing is brought, or nothing more. */
  close(): void;
}

/** Enters every node, which takes as long as a build, for an image of this repository. */
export function openServiceLoad(
  deps: LoadDeps & { readonly nodeNames: readonly string[] },
  repository: string,
  signal: AbortSignal,
): ServiceLoad {
  const entered = deps.nodeNames.map((node) => ({
    node,
    load: deps.nodes.openLoad(node, { repository }, signal),
  }));
  return {
    async load(image, run) {
      await Promise.all(entered.map(({ node, load }) => loadImages([image], node, deps, run, load)));
    },
    async removeOld({ reference }, keep, run) {
      await Promise.all(
        entered.map(async ({ node, load }) => {
          const { images } = await load.content;
          return removeImages(node, findOldImages(images, reference, keep), deps, run);
        }),
      );
    },
    close() {
      for (const { load } of entered) load.close();
    },
  };
}

/** A service's other images. */
function findOldImages(
  images: NodeContent['images'],
  reference: string,
  keep: ReadonlySet<string>,
): RemovedImages {
  const isKept = (name: string) => name === reference || keep.has(name);
  const old = [...images].filter(([name]) => !isKept(name));
  const kept = new Set([...images].filter(([name]) => isKept(name)).map(([, digest]) => digest));
  return {
    references: old.map(([name]) => name),
    digests: [...new Set(old.map(([, digest]) => digest))].filter((digest) => !kept.has(digest)),
  };
}

/** A reload does not fail for what it could not tidy up; the next one tries again. */
async function removeImages(node: string, old: RemovedImages, { nodes }: LoadDeps, run: Run): Promise<void> {
  try {
    await nodes.removeImages(node, old, run.signal);
  } catch (error) {
    run.signal.throwIfAborted();
    if (!(error instanceof CommandFailure)) throw error;
    run.report(`older images stay on the node: ${error.message}`);
  }
}

/** The layers of the images that the node has, as a blob or unpacked on top of the very layers below it. */
function findPresentLayers(present: ReadonlySet<Digest>, images: readonly NamedImage[]): ReadonlySet<Digest> {
  const found = new Set<Digest>();
  const missingLayers = new Set<Digest>();
  for (const { image } of images) {
    const chain = toChainIds(image.layers);
    image.layers.forEach(({ digest }, at) => {
      const here = present.has(digest) || present.has(chain[at] as Digest);
      (here ? found : missingLayers).add(digest);
    });
  }
  // Unpacked in one image and missing in another: the blob must travel.
  return new Set([...found].filter((digest) => !missingLayers.has(digest)));
}
