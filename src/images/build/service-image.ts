import { join, resolve } from 'node:path';
import type { Environment } from '../../config/schema.ts';
import { exitCodes, Failure } from '../../lib/failure.ts';
import type { Image, Layer } from '../../lib/oci.ts';
import type { Run } from '../../plan/plan.ts';
import { toBuiltReference } from '../built-reference.ts';
import type { ImageChain } from '../chain.ts';
import { type DockerfileSource, readGitIgnored, readIgnored } from '../source/dockerfile-source.ts';
import { createServiceSources, type ServiceImage } from '../source/service-sources.ts';
import { isSourcePath } from '../source/source-files.ts';
import type { SourceState } from '../source/source-state.ts';
import { packLayer } from '../store/layer.ts';
import type { Store } from '../store/store.ts';
import { bundleStandIn } from './bundle.ts';
import { ensurePackagesLayer } from './npm-packages.ts';
import { toStandInImage } from './stand-in-image.ts';
import { listVolumes, withTmp, withVolumes } from './volumes.ts';

export type { ServiceImage } from '../source/service-sources.ts';

export interface ServiceImages {
  /** What the service is built from: `stand-in`, or the Dockerfile's path. */
  describe(name: string): Promise<string>;
  /** The image of the source as this run first saw it, or as it was built since; undefined when it is not built yet. */
  find(name: string): Promise<ServiceImage | undefined>;
  /** The folders that its source is in, and which of the paths there are source. */
  listFolders(name: string): Promise<readonly SourceFolder[]>;
  /** The source as it is now, whatever this run has seen before. */
  readSource(name: string): Promise<SourceState>;
  /** @throws {Failure} exit code 7 when the source does not build. */
  build(name: string, run: Run): Promise<ServiceImage>;
}

export interface SourceFolder {
  /** Absolute. */
  readonly folder: string;
  /** Of a path relative to it. */
  readonly isSource: (path: string) => boolean;
}

export interface ServiceImagesDeps {
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

export function createServiceImages(deps: ServiceImagesDeps): ServiceImages {
  const { environment, checkout, architecture, store, chain } = deps;

  const sources = createServiceSources({ ...deps, findBase: () => chain.find('service-base') });
  const { dockerfileOf, read } = sources;
  const folderOf = (name: string) => resolve(checkout, environment.services[name]?.standIn ?? '');

  let packages: Promise<Layer> | undefined;
  const findPackages = () => {
    packages ??= ensurePackagesLayer(store, checkout);
    return packages;
  };

  /** Builds until the source has stayed as it was meanwhile: a hash must not stand for what was saved after it. */
  async function buildUnchanged(name: string, base: Image | undefined, run: Run): Promise<ServiceImage> {
    const dockerfile = await dockerfileOf(name);
    for (let attempt = 0; attempt < buildAttempts; attempt += 1) {
      const { hash: sourceHash } = await read(name);
      const built = base
        ? await buildStandIn(name, sourceHash, base)
        : await withTmp(await deps.buildDockerfile(name, dockerfile as DockerfileSource, run), store);
      const image = withVolumes(built, listVolumes(environment, name, { isStandIn: base !== undefined }));
      if ((await read(name)).hash === sourceHash)
        return {
          reference: toBuiltReference(name, image),
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

  async function buildStandIn(name: string, sourceHash: string, base: Image): Promise<Image> {
    const [packages, files] = await Promise.all([
      findPackages(),
      bundleStandIn(folderOf(name), { name, sourceHash: sourceHash.slice(0, 12) }),
    ]);
    return toStandInImage(base, packages, await store.putBlob(packLayer(files)), architecture);
  }

  return {
    readSource: read,

    async listFolders(name) {
      const dockerfile = await dockerfileOf(name);
      if (!dockerfile) {
        return [folderOf(name), join(checkout, 'services/common')].map((folder) => ({
          folder,
          isSource: isSourcePath,
        }));
      }
      const rules = await Promise.all([readIgnored(dockerfile), readGitIgnored(dockerfile)]);
      return [
        {
          folder: join(dockerfile.root, dockerfile.context),
          isSource: (path) => !rules.some((isIgnored) => isIgnored(path)),
        },
      ];
    },

    async describe(name) {
      const dockerfile = await dockerfileOf(name);
      return dockerfile ? join(dockerfile.root, dockerfile.dockerfile) : 'stand-in';
    },

    find: sources.find,

    async build(name, run) {
      const isStandIn = (await dockerfileOf(name)) === undefined;
      const base = isStandIn ? (await chain.ensure('service-base', run)).image : undefined;
      const built = await buildUnchanged(name, base, run);
      sources.recordBuilt(name, built.sourceHash);
      await store.putImage(sources.keyOf(name, built.sourceHash, base), built.image);
      return built;
    },
  };
}
