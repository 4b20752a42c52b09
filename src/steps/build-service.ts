import type { ServiceImages } from '../images/build/service-image.ts';
import type { Step } from '../plan/plan.ts';

/** The image of a service's current source is in the store. */
export function buildService(images: ServiceImages, name: string): Step {
  return {
    title: `build ${name}`,
    async isDone() {
      const found = await images.find(name);
      return found ? `unchanged, ${found.reference}` : false;
    },
    async apply(run) {
      run.report(await images.describe(name));
      await images.build(name, run);
    },
  };
}
