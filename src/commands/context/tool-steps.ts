import { join } from 'node:path';
import type { App } from '../../cli/command.ts';
import { openRecipes } from '../../images/build/recipes.ts';
import type { Images } from '../../images/open-images.ts';
import type { Step } from '../../plan/plan.ts';
import { ensureTool } from '../../steps/ensure-tool.ts';
import { versions } from '../../tools/versions.ts';

/** The steps that put kind, kubectl and helm where all other steps find them. */
export function toolSteps({ paths, exec }: Pick<App, 'paths' | 'exec'>, images: Images): readonly Step[] {
  const { store, workshop, architecture } = images;
  const parts = { exec, store, workshop, bin: join(paths.state, 'bin') };
  const recipes = openRecipes({ checkout: paths.checkout, architecture });
  return [
    ensureTool('kind', {
      ...parts,
      program: async () => ({ package: 'sigs.k8s.io/kind', version: `v${versions.kind}` }),
    }),
    ensureTool('kubectl', { ...parts, program: async () => (await recipes.loadNode()).kubectl }),
    ensureTool('helm', {
      ...parts,
      program: async () => ({ package: 'helm.sh/helm/v3/cmd/helm', version: `v${versions.helm}` }),
    }),
  ];
}
