import { CommandFailure, exitCodes, Failure } from '../lib/failure.ts';
import { type Digest, digestOf, toChainIds, toManifest } from '../lib/oci.ts';
import type { Run } from '../lib/plan.ts';
import type { NodeContent, Nodes } from '../tools/nodes.ts';
import { type NamedImage, packArchive, uniqueLayers } from './archive.ts';
import type { Store } from './store.ts';

export interface LoadParts {
  readonly nodes: Nodes;
  readonly store: Store;
}

/** The images that the node does not have under their reference with exactly this content. */
export function findUnloaded<I extends NamedImage>(
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
  { nodes, store }: LoadParts,
  { signal, report }: Run,
  asked: Promise<NodeContent> = nodes.list(node, signal),
): Promise<void> {
  const content = await asked;
  const images = findUnloaded(wanted, content);
  if (images.length === 0) return;
  const skip = layersOn(content.layers, images);
  const travelling = uniqueLayers(images).filter(({ digest }) => !skip.has(digest));
  const megabytes = travelling.reduce((sum, { size }) => sum + size, 0) / 1e6;
  report(`${images.length} images, ${travelling.length} layers, ${megabytes.toFixed(1)} MB`);
  const load = (present?: ReadonlySet<Digest>) =>
    nodes.importImages(node, packArchive(store, images, present), signal);
  const loaded = await load(skip).catch(async (error) => {
    signal.throwIfAborted();
    if (skip.size === 0) throw error;
    report('the node has lost a layer it had: loading everything');
    // A failed import leaves the name behind, with nothing under it.
    const references = images.map(({ reference }) => reference);
    await nodes.removeImages(node, references, signal);
    return load();
  });
  const [missing] = findUnloaded(images, { images: loaded });
  if (missing) {
    throw new Failure(`image ${missing.reference} is not on node ${node} after it was loaded`, {
      hint: 'npm run doctor',
      exitCode: exitCodes.image,
    });
  }
}

/** Brings a service's image to all nodes. */
export interface ServiceLoad {
  bring(image: NamedImage, run: Run): Promise<void>;
  /** Once it is there: older images of the service go from the nodes, but for these references. */
  removeOld(image: NamedImage, keep: ReadonlySet<string>, run: Run): Promise<void>;
}

/** Begins to ask every node what it has, which takes as long as a build. */
export function beginLoad(
  parts: LoadParts & { readonly nodeNames: readonly string[] },
  signal: AbortSignal,
): ServiceLoad {
  const asked = parts.nodeNames.map((node) => ({ node, content: parts.nodes.list(node, signal) }));
  // Whoever loads hears of it; a build that fails first is what counts then.
  for (const { content } of asked) content.catch(() => {});
  return {
    async bring(image, run) {
      await Promise.all(asked.map(({ node, content }) => loadImages([image], node, parts, run, content)));
    },
    async removeOld({ reference }, keep, run) {
      await Promise.all(
        asked.map(async ({ node, content }) =>
          removeImages(node, findOld((await content).images, reference, keep), parts, run),
        ),
      );
    },
  };
}

/** References of a service's other images; the node has each under its ID, too. */
function findOld(
  images: NodeContent['images'],
  reference: string,
  keep: ReadonlySet<string>,
): readonly string[] {
  const repository = reference.slice(0, reference.lastIndexOf(':') + 1);
  const old = [...images].filter(
    ([name]) => name.startsWith(repository) && name !== reference && !keep.has(name),
  );
  const kept = new Set([...images].filter(([name]) => keep.has(name)).map(([, digest]) => digest));
  const digests = new Set(old.map(([, digest]) => digest).filter((digest) => !kept.has(digest)));
  const ids = [...images].filter(([name, digest]) => name.startsWith('sha256:') && digests.has(digest));
  return [...old, ...ids].map(([name]) => name);
}

/** A reload does not fail for what it could not tidy up; the next one tries again. */
async function removeImages(
  node: string,
  old: readonly string[],
  { nodes }: LoadParts,
  run: Run,
): Promise<void> {
  try {
    await nodes.removeImages(node, old, run.signal);
  } catch (error) {
    run.signal.throwIfAborted();
    if (!(error instanceof CommandFailure)) throw error;
    run.report(`older images stay on the node: ${error.message}`);
  }
}

/** The layers of the images that the node has, as a blob or unpacked on top of the very layers below it. */
function layersOn(present: ReadonlySet<Digest>, images: readonly NamedImage[]): ReadonlySet<Digest> {
  const found = new Set<Digest>();
  const lacking = new Set<Digest>();
  for (const { image } of images) {
    const chain = toChainIds(image.layers);
    image.layers.forEach(({ digest }, at) => {
      const here = present.has(digest) || present.has(chain[at] as Digest);
      (here ? found : lacking).add(digest);
    });
  }
  // Unpacked in one image and missing in another: the blob must travel.
  return new Set([...found].filter((digest) => !lacking.has(digest)));
}
