import type { Image } from '../../lib/oci.ts';
import type { Workshop } from './workshop.ts';

/** How one outside image is made of packages: `images/<name>/recipe.ts` exports one as `recipe`. */
export interface Recipe {
  /** Minutes on two cores with nothing cached: what a person is told before a long build. */
  readonly minutes: number;
  build(workshop: Workshop): Promise<Image>;
}
