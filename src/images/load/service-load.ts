import { CommandFailure } from '../../lib/failure.ts';
import type { Run } from '../../plan/plan.ts';
import type { NodeContent, RemovedImages } from '../../tools/docker/node-image-store.ts';
import type { NamedImage } from '../store/archive.ts';
import { type LoadDeps, loadImages } from './load-images.ts';

/** Loads a service's image onto all nodes. */
export interface ServiceLoad {
  load(image: NamedImage, run: Run): Promise<void>;
  /** After `load`: removes the service's other images from the nodes, but for the references in `keep`. */
  removeOld(image: NamedImage, keep: ReadonlySet<string>, run: Run): Promise<void>;
  /** Ends it when nothing is loaded. */
  close(): void;
}

/** Opens a connection to every node at once: that takes as long as a build and can run at the same time. */
export function openServiceLoad(
  deps: LoadDeps & { readonly nodeNames: readonly string[] },
  repository: string,
  signal: AbortSignal,
): ServiceLoad {
  const opened = deps.nodeNames.map((node) => ({
    node,
    load: deps.nodes.openLoad(node, { repository }, signal),
  }));
  return {
    async load(image, run) {
      await Promise.all(opened.map(({ node, load }) => loadImages([image], node, deps, run, load)));
    },
    async removeOld({ reference }, keep, run) {
      await Promise.all(
        opened.map(async ({ node, load }) => {
          const { images } = await load.content;
          return removeImages(node, findOldImages(images, reference, keep), deps, run);
        }),
      );
    },
    close() {
      for (const { load } of opened) load.close();
    },
  };
}

/** The service's images that neither are the new one nor are in `keep`. */
function findOldImages(
  images: NodeContent['images'],
  reference: string,
  keep: ReadonlySet<string>,
): RemovedImages {
  const isInUse = (name: string) => name === reference || keep.has(name);
  const old = [...images].filter(([name]) => !isInUse(name));
  const used = new Set([...images].filter(([name]) => isInUse(name)).map(([, digest]) => digest));
  return {
    references: old.map(([name]) => name),
    digests: [...new Set(old.map(([, digest]) => digest))].filter((digest) => !used.has(digest)),
  };
}

/** A reload does not fail because an old image cannot be removed; the next one tries it again. */
async function removeImages(node: string, old: RemovedImages, { nodes }: LoadDeps, run: Run): Promise<void> {
  try {
    await nodes.removeImages(node, old, run.signal);
  } catch (error) {
    run.signal.throwIfAborted();
    if (!(error instanceof CommandFailure)) throw error;
    run.report(`older images were not removed from the node: ${error.message}`);
  }
}
