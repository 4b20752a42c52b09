import type { Catalog } from '../../config/catalog.ts';
import type { Selection } from '../../config/services.ts';
import { findMissingParts, type MissingParts } from '../../images/missing-parts.ts';
import type { Images } from '../../images/open-images.ts';
import type { Engine } from '../../machine/engine.ts';
import { outsideImages } from '../../plans/up.ts';
import type { ClusterRecord } from '../../state/cluster-record.ts';

export interface MissingOptions {
  readonly selection: Selection;
  readonly cluster: Pick<ClusterRecord, 'controller' | 'extras' | 'lacking'>;
  /** Undefined where none runs, and so none has the node's image. */
  readonly engine: Engine | undefined;
  /** Whether images that are missing can be pulled instead of built; asked only if some are. */
  readonly canPull: () => Promise<boolean>;
}

/** What `up` would build from packages for this selection: nothing where images are present or can be pulled. */
export async function findPartsToBuild(
  images: Images,
  { selection, cluster, engine, canPull }: MissingOptions,
): Promise<MissingParts> {
  const { chain } = images;
  const names: readonly (keyof Catalog)[] = ['node', ...outsideImages(selection, cluster)];
  const missing = await Promise.all(
    names.map(async (name) => {
      const found = name === 'node' ? engine && (await chain.findNode()) : await chain.find(name);
      return found ? [] : [name];
    }),
  );
  if (missing.flat().length === 0 || (await canPull())) return { programs: 0, roots: 0 };
  return findMissingParts(images, missing.flat());
}
