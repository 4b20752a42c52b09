import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type App, defineCommand } from '../cli/command.ts';
import { environment as environmentOption, selectedServices, yes } from '../cli/options.ts';
import { loadOwnSecrets } from '../config/own-secrets.ts';
import type { Environment, LocalEnvironment } from '../config/schema.ts';
import { selectServices } from '../config/services.ts';
import { compareWithCluster, type Rendering } from '../diff/compare.ts';
import { type Manifest, parseManifests } from '../diff/manifest.ts';
import { listOutsideReferences } from '../diff/references.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { judgeNodes } from '../plans/node-fit.ts';
import { listRemoteReleases } from '../plans/remote-releases.ts';
import { findTrust } from '../state/trust.ts';
import { type ReleaseSource, toChart } from '../steps/deploy-release.ts';
import { createHelm } from '../tools/helm.ts';
import type { ApiReader } from '../tools/kubernetes/api-server.ts';
import { findClusterAccess } from './context/cluster.ts';
import { isLocal } from './context/environment.ts';
import { obtainTools } from './context/tools.ts';
import { listLocalSources } from './plan/local-sources.ts';
import { checkOutside } from './plan/outside.ts';
import { hasDifferences, type PlanReport, toPlanValue } from './plan/report.ts';
import { describePlan } from './plan/text.ts';
import { writeManifests } from './plan/write-manifests.ts';

export const command = defineCommand({
  description:
    'Renders all charts of the environment. If its cluster is reachable, the API server checks each object in a server-side dry run, and each field that would change is shown. Nothing is changed. Values of Secrets are never shown.',
  arguments: { services: selectedServices },
  options: {
    env: environmentOption,
    out: { value: 'folder', summary: 'write the manifests to this folder, one file per release' },
    secrets: { summary: 'with --out: include the values of Secrets, in files only you can read' },
    exitCode: { summary: 'exit with code 11 if there are differences' },
    yes,
  },
  examples: [
    'npm run plan',
    'npm run plan -- --env prod',
    'npm run plan -- --env dev --exit-code',
    'npm run plan -- --env staging --out manifests',
  ],

  async run(app, { services, env, out, secrets, exitCode, yes: confirmed }) {
    if (secrets && out === undefined) {
      throw new Failure('--secrets requires --out', {
        hint: 'npm run plan -- --out <folder> --secrets',
        exitCode: exitCodes.usage,
      });
    }
    const environment = await app.environment({ name: env });
    await obtainTools(app, ['helm']);
    const { sources, objects, unbuilt, target } = isLocal(environment)
      ? await readLocalInput(app, environment, services)
      : await readRemoteInput(app, environment, services);
    const renderings = [...objects, ...(await Promise.all(sources.map((source) => render(app, source))))];
    const manifests = renderings.flatMap((rendering) => rendering.manifests);

    const { signal, ui } = app;
    const { api } = target;
    const comparison = api ? await compareWithCluster(renderings, api, signal) : { objects: [], notes: [] };
    const report: PlanReport = {
      version: 1,
      environment: environment.name,
      namespace: environment.namespace,
      comparison: { with: api && target.title, reason: api ? undefined : target.title, ...comparison },
      outside: await checkOutside(
        listOutsideReferences(manifests),
        manifests,
        environment.namespace,
        api && { api, signal },
      ),
      nodes: judgeNodes(environment, manifests),
      unbuilt: unbuilt(),
      written: out === undefined ? [] : await write(out),
    };
    ui.result(toPlanValue(report, renderings), describePlan(report, renderings, ui.resultColors));
    if (!exitCode) return exitCodes.ok;
    const differs = hasDifferences(report);
    if (differs === undefined) {
      throw new Failure(`environment ${environment.name} cannot be compared: ${target.title}`, {
        hint: `npm run env show ${environment.name}`,
        exitCode: exitCodes.cluster,
      });
    }
    return differs ? exitCodes.differences : exitCodes.ok;

    async function write(folder: string): Promise<readonly string[]> {
      // npm runs in the checkout; INIT_CWD is the folder of the user.
      const path = resolve(process.env.INIT_CWD ?? process.cwd(), folder);
      const written = await writeManifests(renderings, {
        folder: path,
        environment: environment.name,
        overwrite: confirmed,
        withSecrets: secrets,
      });
      ui.say(`${written.length} files written to ${path}${secrets ? '' : ', Secrets without their values'}`);
      return written.map((name) => join(path, name));
    }
  },
});

/** The cluster to compare with, or why there is no comparison. */
interface Target {
  readonly api: ApiReader | undefined;
  readonly title: string;
}

interface PlanInput {
  readonly sources: readonly ReleaseSource[];
  /** Objects that belong to no release. */
  readonly objects: readonly Rendering[];
  readonly target: Target;
  /** Images without a name yet; complete once everything is rendered. */
  readonly unbuilt: () => readonly string[];
}

async function readLocalInput(
  app: App,
  environment: LocalEnvironment,
  services: readonly string[],
): Promise<PlanInput> {
  const sources = await listLocalSources(app, environment, services);
  const access = sources.isRunning ? await findClusterAccess(app) : undefined;
  const objects = { release: 'namespaces', namespace: environment.namespace, manifests: sources.objects };
  return {
    sources: sources.releases,
    objects: [objects],
    target: access
      ? { api: await access.openApi(), title: `cluster ${access.record.name}` }
      : { api: undefined, title: 'the cluster of this checkout is not running' },
    unbuilt: () => sources.unbuilt,
  };
}

async function readRemoteInput(
  app: App,
  environment: Environment,
  services: readonly string[],
): Promise<PlanInput> {
  const { checkout } = app.paths;
  const selection = selectServices(environment, services);
  const own = await loadOwnSecrets(checkout, environment.name);
  const secrets = join(checkout, 'helm/environments', `${environment.name}-secrets.yaml`);
  const hasOwn = Object.keys(own).length > 0;
  await requireValues(checkout, environment.name);
  return {
    sources: listRemoteReleases(
      environment,
      { checkout, secrets: hasOwn ? secrets : undefined },
      selection.services,
    ),
    objects: [],
    target: await openTarget(app, environment),
    unbuilt: () => [],
  };
}

/** A cluster that does not respond is not compared with; one that is not the trusted one fails with exit code 9. */
async function openTarget(app: App, environment: Environment): Promise<Target> {
  const trust = await findTrust(app.paths, environment.name);
  if (!trust) {
    const title = `the cluster of ${environment.name} is not trusted yet (npm run env trust ${environment.name})`;
    return { api: undefined, title };
  }
  await obtainTools(app, ['kubectl']);
  try {
    const { openRemote } = await import('./context/remote-cluster.ts');
    const { context, openApi } = await openRemote(app, environment);
    return { api: await openApi(), title: `kube context ${context.name}, ${context.server}` };
  } catch (error) {
    app.signal.throwIfAborted();
    if (!(error instanceof Failure) || error.exitCode !== exitCodes.cluster) throw error;
    return { api: undefined, title: error.message };
  }
}

async function requireValues(checkout: string, name: string): Promise<void> {
  const file = `helm/environments/${name}.yaml`;
  await access(join(checkout, file)).catch(() => {
    throw new Failure(`${file}, the values of environment ${name}, is missing`, {
      hint: `git restore ${file}`,
      exitCode: exitCodes.usage,
    });
  });
}

async function render(
  { paths, exec, signal }: Pick<App, 'paths' | 'exec' | 'signal'>,
  source: ReleaseSource,
): Promise<Rendering> {
  const { release, namespace, valuesFiles } = source;
  // helm template needs no cluster.
  const helm = createHelm(exec, {
    program: join(paths.state, 'bin/helm'),
    kubeconfig: '/dev/null',
    context: '',
  });
  const values = await source.values();
  const text = await helm.template({ release, ...toChart(source), namespace, valuesFiles, values }, signal);
  return { release, namespace, manifests: parse(text, release) };
}

function parse(text: string, release: string): readonly Manifest[] {
  try {
    return parseManifests(text);
  } catch (cause) {
    throw new Failure(`release ${release} does not render to valid manifests`, {
      cause,
      exitCode: exitCodes.helm,
    });
  }
}
