import type { Catalog } from '../../src/config/catalog.ts';
import type { Environment } from '../../src/config/schema.ts';
import type { Recipe } from '../../src/images/build/recipe.ts';
import type { Recipes } from '../../src/images/build/recipes.ts';
import type { Workshop } from '../../src/images/build/workshop.ts';
import { createImageChain } from '../../src/images/chain.ts';
import { openImageDigests } from '../../src/images/pull/image-digests.ts';
import { createPuller } from '../../src/images/pull/puller.ts';
import { packLayer } from '../../src/images/store/layer.ts';
import { openStore } from '../../src/images/store/store.ts';
import { Failure } from '../../src/lib/failure.ts';
import { digestOf, type Image, toImageConfig } from '../../src/lib/oci.ts';
import type { Run } from '../../src/plan/plan.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';
import { createFakeDocker, type FakeRegistry } from './registries.ts';

export const pinned = digestOf('the pinned redis');

const catalog: Catalog = {
  node: { pull: 'docker.io/kindest/node:v1.34.11', build: true },
  'service-base': { pull: 'docker.io/library/node:20.19.5', build: true },
  postgres: { pull: 'docker.io/library/postgres:17.6', build: true },
  redis: { pull: `docker.io/library/redis:8.0.3@${pinned}`, build: true },
  s3: { pull: 'docker.io/versity/versitygw:v1.8.0', build: true },
  argocd: { pull: 'quay.io/argoproj/argocd:v3.2.11', build: true },
  traefik: { pull: 'docker.io/library/traefik:v3.6.12', build: true },
  nginx: { pull: 'registry.k8s.io/ingress-nginx/controller:v1.15.1', build: false },
  'metrics-server': { pull: 'registry.k8s.io/metrics-server/metrics-server:v0.9.0', build: true },
  prometheus: { pull: 'docker.io/prom/prometheus:v2.53.5', build: true },
  loki: { pull: 'docker.io/grafana/loki:3.7.8', build: false },
  'victoria-logs': { pull: 'docker.io/victoriametrics/victoria-logs:v1.52.1', build: true },
  'log-shipper': { pull: 'docker.io/otel/opentelemetry-collector-k8s:0.165.0', build: true },
  grafana: { pull: 'docker.io/grafana/grafana:12.3.0', build: false },
};

export const noHost =
  'Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host';

interface World {
  readonly registries?: Record<string, FakeRegistry>;
  readonly registry?: Environment['registry'];
  /** A reference of the user's own in place of the catalog's. */
  readonly own?: Partial<Record<keyof Catalog, string>>;
  /** Replaces the recipe, which otherwise succeeds. */
  readonly build?: (workshop: Workshop) => Promise<Image>;
}

export async function makeChain({
  registries = {},
  registry = { pull: 'auto' },
  build,
  own = {},
}: World = {}) {
  const cache = await makeTemporaryFolder();
  const data = await makeTemporaryFolder();
  const store = openStore(cache);
  const docker = createFakeDocker(registries);
  const built: string[] = [];
  const lines: string[] = [];
  const run: Run = { signal: new AbortController().signal, report: (line) => lines.push(line) };
  let recipeKey = 'one';

  const workshop: Workshop = {
    architecture: 'amd64',
    goProgram: async () => '/dev/null',
    debianRoot: async () => store.putBlob(packLayer([])),
    layer: async (entries) => store.putBlob(packLayer(entries)),
    image: (layers, container) => ({ layers, config: toImageConfig(layers, container, 'amd64') }),
  };
  const toRecipe = (name: string): Recipe => ({
    minutes: 3,
    async build(parts) {
      built.push(name);
      if (build) return build(parts);
      return parts.image([await parts.layer([{ path: 'name', content: name }])], {});
    },
  });
  const recipes: Recipes = {
    keyOf: async (name) => `${name}-${recipeKey}`,
    load: async (name) => toRecipe(name),
    loadNode: async () => ({
      minutes: 8,
      kubernetesVersion: 'v1.34.4',
      kubectl: { module: '/', package: '.' },
      build: async () => {
        built.push('node');
        const layers = [await store.putBlob(packLayer([]))];
        return {
          node: { layers, config: toImageConfig(layers, { Entrypoint: ['/init'] }, 'amd64') },
          preload: {},
        };
      },
    }),
  };
  const open = (settings: Environment['registry'] = registry) =>
    createImageChain({
      catalog: {
        ...catalog,
        ...Object.fromEntries(
          Object.entries(own).map(([name, pull]) => [name, { pull, build: false, own: true }]),
        ),
      },
      allowed: settings.pull,
      store,
      docker,
      dockerCli: {
        async load(archive) {
          for await (const _ of archive);
          await docker.add('loaded', 'node');
        },
        async runAndCommit(_, __, { tag, input }) {
          for await (const _ of input);
          await docker.add(tag, 'node');
        },
      },
      puller: createPuller({
        docker,
        registry: settings,
        digests: openImageDigests({ data, cache }),
        architecture: 'amd64',
      }),
      recipes,
      workshop: async () => workshop,
      cache,
    });
  return {
    cache,
    data,
    store,
    docker,
    built,
    lines,
    run,
    chain: open(),
    open,
    changeRecipe: () => {
      recipeKey = 'two';
    },
  };
}

/** Returns the Failure with which the promise rejects. */
export async function catchFailure(work: Promise<unknown>): Promise<Failure> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof Failure) return error;
  throw new Error(`not a Failure: ${error}`, { cause: error });
}
