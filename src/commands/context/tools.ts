import { join } from 'node:path';
import type { App } from '../../cli/command.ts';
import { openRecipes } from '../../images/build/recipes.ts';
import { type Images, openImages } from '../../images/open-images.ts';
import { ownPlatform } from '../../lib/platform.ts';
import type { Step } from '../../plan/plan.ts';
import { ensureTool } from '../../steps/ensure-tool.ts';
import type { ToolName } from '../../tools/releases.ts';
import { versions } from '../../tools/versions.ts';
import { loadMachineEnvironment } from './environment.ts';
import { openSession } from './session.ts';

/** The steps that install kind, kubectl and helm into `.wealist/bin`. */
export function toolSteps({ paths, exec }: Pick<App, 'paths' | 'exec'>, images: Images): readonly Step[] {
  const { store, workshop, architecture } = images;
  const deps = { exec, store, workshop, bin: join(paths.state, 'bin') };
  const recipes = openRecipes({ checkout: paths.checkout, architecture });
  return [
    ensureTool('kind', {
      ...deps,
      program: async () => ({ package: 'sigs.k8s.io/kind', version: `v${versions.kind}` }),
    }),
    ensureTool('kubectl', { ...deps, program: async () => (await recipes.loadNode()).kubectl }),
    ensureTool('helm', {
      ...deps,
      program: async () => ({ package: 'helm.sh/helm/v3/cmd/helm', version: `v${versions.helm}` }),
    }),
  ];
}

type Deps = Pick<App, 'paths' | 'exec'>;

/** Installs these tools into `.wealist/bin` where they are missing: a link to the one on PATH, a download, or a build. */
export async function obtainTools(app: App, names: readonly ToolName[]): Promise<void> {
  const steps = (await connectTools(app)).filter(({ title }) => names.some((name) => name === title));
  const run = { signal: app.signal, report: () => {} };
  const done = await Promise.all(steps.map((step) => step.isDone?.(run)));
  if (done.every(Boolean)) return;
  await app.exclusively(() => app.runPlan([{ title: 'Tools', steps }]), { usesCache: true });
}

/** Tools are downloaded or built without a container engine. */
async function connectTools(app: Deps & Pick<App, 'environment'>): Promise<readonly Step[]> {
  const { registry } = await loadMachineEnvironment(app);
  const { toolchain } = openSession(app, { socket: '/dev/null' }, 'none');
  return toolSteps(
    app,
    await openImages({ ...app, registry, toolchain, architecture: ownPlatform().architecture }),
  );
}
