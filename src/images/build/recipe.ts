import type { Image } from '../../lib/oci.ts';
import type { Workshop } from './workshop.ts';

/** How one outside image is built from packages: `images/<name>/recipe.ts` exports it as `recipe`. */
export interface Recipe {
  /** Minutes on two cores with nothing cached: shown before and during a long build. */
  readonly minutes: number;
  build(workshop: Workshop): Promise<Image>;
}
