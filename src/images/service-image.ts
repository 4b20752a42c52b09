import { join, resolve } from 'node:path';
import type { Environment } from '../config/schema.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { type Image, toImageConfig } from '../lib/oci.ts';
import type { Run } from '../lib/plan.ts';
import { bundleStandIn } from './bundle.ts';
import type { ImageChain } from './chain.ts';
import type { DockerfileSource } from './dockerfile-source.ts';
import { packLayer } from './layer.ts';
import { createServiceSources, type ServiceImage, toServiceReference } from './service-sources.ts';
import type { Store } from './store.ts';

export type { ServiceImage } from './service-sources.ts';

export interface ServiceImages {
  /** What the service is built from: `stand-in`, or the Dockerfile's path. */
  describe(name: string): Promise<string>;
  /** The image of the source as this run first saw it, or as it was built since; undefined when it is not built yet. */
  find(name: string): Promise<ServiceImage | undefined>;
  /** @throws {Failure} exit code 7 when the source does not build. */
  build(name: string, run: Run): Promise<ServiceImage>;
}

export interface ServiceImagesParts {
  readonly environment: Environment;
  readonly checkout: string;
  readonly architecture: string;
  readonly store: Store;
  readonly chain: Pick<ImageChain, 'find' | 'ensure'>;
  /** Builds a Dockerfile in the engine and brings the result into the store. */
  readonly buildDockerfile: (name: string, source: DockerfileSource, run: Run) => Promise<Image>;
}

/** A build takes a second; somebody who saves more often than that is at work. */
const buildAttempts = 3;

export function createServiceImages(parts: ServiceImagesParts): ServiceImages {
  const { environment, checkout, architecture, store, chain } = parts;

  const sources = createServiceSources({ ...parts, findBase: () => chain.find('service-base') });
  const { dockerfileOf, readHash } = sources;
  const folderOf = (name: string) => resolve(checkout, environment.services[name]?.standIn ?? '');

  /** Builds until the source has stayed as it was meanwhile: a hash must not stand for what was saved after it. */
  async function buildSettled(name: string, base: Image | undefined, run: Run): Promise<ServiceImage> {
    const dockerfile = await dockerfileOf(name);
    for (let attempt = 0; attempt < buildAttempts; attempt += 1) {
      const sourceHash = await readHash(name);
      const image = base
        ? await buildStandIn(name, sourceHash, base)
        : await parts.buildDockerfile(name, dockerfile as DockerfileSource, run);
      if ((await readHash(name)) === sourceHash)
        return {
          reference: toServiceReference(name, image),
          image,
          sourceHash,
          isStandIn: base !== undefined,
        };
      run.report('its source was changed meanwhile: once more');
    }
    throw new Failure(`the source of ${name} changed during each of ${buildAttempts} builds`, {
      hint: `npm run reload -- ${name}`,
      exitCode: exitCodes.image,
    });
  }

  /** The stand-in's own files are one thin layer over the base: a reload sends that layer and nothing else. */
  async function buildStandIn(name: string, sourceHash: string, base: Image): Promise<Image> {
    const files = await bundleStandIn(folderOf(name), { name, sourceHash: sourceHash.slice(0, 12) });
    const layer = await store.putBlob(packLayer(files));
    const layers = [...base.layers, layer];
    const { config } = JSON.parse(base.config) as { config: object };
    const settings = { ...config, Entrypoint: [], Cmd: ['node', '/app/main.js'], WorkingDir: '/app' };
    return { layers, config: toImageConfig(layers, settings, architecture) };
  }

  return {
    async describe(name) {
      const dockerfile = await dockerfileOf(name);
      return dockerfile ? join(dockerfile.root, dockerfile.dockerfile) : 'stand-in';
    },

    find: sources.find,

    async build(name, run) {
      const isStandIn = (await dockerfileOf(name)) === undefined;
      const base = isStandIn ? (await chain.ensure('service-base', run)).image : undefined;
      const built = await buildSettled(name, base, run);
      sources.settle(name, built.sourceHash);
      await store.putImage(sources.keyOf(name, built.sourceHash, base), built.image);
      return built;
    },
  };
}
