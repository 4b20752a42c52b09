import { type App, defineCommand } from '../cli/command.ts';
import { listNodeNames } from '../cluster/ownership.ts';
import type { LocalEnvironment } from '../config/schema.ts';
import { getService } from '../config/services.ts';
import { openImages } from '../images/open-images.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { planReload } from '../plans/reload.ts';
import type { Reloaded, ReloadServiceDeps } from '../steps/reload-service.ts';
import { followApi } from '../tools/kubernetes/follow-api.ts';
import { getRunningCluster } from './context/engine.ts';
import { requireWritable } from './context/environment.ts';
import { hideClusterSecrets } from './context/secrets.ts';
import { openServiceImages } from './context/service-images.ts';
import { openSession } from './context/session.ts';
import { toReloadLine } from './reload/reload-line.ts';

export const command = defineCommand({
  description:
    "Builds, loads and rolls out each service, and ends when its pods run the image built from the current source, verified by the image ID, and its endpoints contain no other pods. With --watch it repeats this on each save; files in a service's `live` folders are copied directly into the running containers.",
  arguments: {
    services: {
      value: 'service',
      summary: 'services to reload',
      required: true,
      many: true,
      complete: 'services',
    },
  },
  options: {
    watch: { summary: 'reload on each save, until Ctrl-C', short: 'w' },
    noCache: { summary: "build again although nothing has changed, without the builder's cache" },
  },
  examples: [
    'npm run reload auth-service',
    'npm run reload auth-service user-service',
    'npm run reload -- --watch frontend',
  ],

  async run(app, { services, watch, noCache }) {
    if (watch && noCache) {
      throw new Failure('--watch and --no-cache exclude each other: each save would build everything', {
        hint: `npm run reload -- --no-cache ${services.join(' ')}`,
        exitCode: exitCodes.usage,
      });
    }
    const environment = requireWritable(app, await app.environment(), 'reload');
    const names = [...new Set(services)];
    for (const name of names) getService(environment, name);
    const connect = await connectReload(app, environment, { follows: watch, rebuild: noCache });
    if (watch) {
      const { watchServices } = await import('./reload/reload-watch.ts');
      return watchServices({ app, environment, connect }, names);
    }
    await app.exclusively(
      async () => {
        const reloaded: Reloaded[] = [];
        const { milliseconds } = await app.runPlan(
          planReload(await connect(), names, (each) => void reloaded.push(each)),
        );
        app.ui.result(
          { changed: reloaded.some(({ changed }) => changed), milliseconds, services: reloaded },
          reloaded.map((each) => toReloadLine(each)).join('\n'),
        );
      },
      { usesCache: true },
    );
  },
});

/**
 * Connects to the running cluster. Each call of the returned function reads the then current sources. With `follows`, it
 * goes to the cluster that the kubeconfig names at the time.
 * @throws {Failure} exit code 5 when the cluster is not running.
 */
async function connectReload(
  app: App,
  environment: LocalEnvironment,
  { follows, rebuild }: { readonly follows: boolean; readonly rebuild: boolean },
): Promise<() => Promise<ReloadServiceDeps>> {
  const { paths, exec, signal } = app;
  const { engine, host, name: cluster } = await getRunningCluster(app, environment);
  const { toolchain, watch, snapshots, openApi } = openSession(app, engine, cluster);
  const readNodes = () => listNodeNames(toolchain.docker, cluster, signal);
  let nodes = readNodes();
  const onChange = () => {
    nodes = readNodes();
    // Its failure is that of the next reload.
    nodes.catch(() => {});
  };
  const [images, api] = await Promise.all([
    openImages({ paths, registry: environment.registry, toolchain, exec, architecture: engine.arch }),
    follows ? followApi(openApi, { onChange }) : openApi(),
    nodes,
    // A pod that does not become ready is explained by its log.
    hideClusterSecrets(app, environment),
  ]);
  return async () => ({
    toolchain,
    watch,
    snapshots,
    api,
    store: images.store,
    serviceImages: openServiceImages({ app, host, environment, images, toolchain, rebuild }),
    namespace: environment.namespace,
    nodeNames: await nodes,
  });
}
