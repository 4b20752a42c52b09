import { join, resolve } from 'node:path';
import type { Environment } from '../../config/schema.ts';
import { exitCodes, Failure } from '../../lib/failure.ts';
import type { Image, Layer } from '../../lib/oci.ts';
import type { Run } from '../../plan/plan.ts';
import { toBuiltReference } from '../built-reference.ts';
import type { ImageChain } from '../chain.ts';
import type { DockerfileSource } from '../source/dockerfile-source.ts';
import { createServiceSources, type ServiceImage } from '../source/service-sources.ts';
import type { SourceFolder } from '../source/source-files.ts';
import { listSaved, type SourceState } from '../source/source-state.ts';
import { packLayer } from '../store/layer.ts';
import type { Store } from '../store/store.ts';
import { bundleStandIn } from './bundle.ts';
import { ensurePackagesLayer } from './npm-packages.ts';
import { withNumericUser } from './numeric-user.ts';
import { toStandInImage } from './stand-in-image.ts';
import { listVolumes, withTmp, withVolumes } from './volumes.ts';

export type { ServiceImage } from '../source/service-sources.ts';

export interface ServiceImages {
  /** `stand-in`, or the path of the Dockerfile that the service is built from. */
  describe(name: string): Promise<string>;
  /** The image of the source that this run read first or built last; undefined when it is not built yet. */
  find(name: string): Promise<ServiceImage | undefined>;
  /** The folders of its source, and which paths in them are source. */
  listFolders(name: string): Promise<readonly SourceFolder[]>;
  /** Reads the current source, whatever this run has read before. */
  readSource(name: string): Promise<SourceState>;
  /** The source that this run read first or built last: that of the image which `find` returns. */
  getSource(name: string): Promise<SourceState>;
  /** @throws {Failure} exit code 7 when the source does not build. */
  build(name: string, run: Run): Promise<ServiceImage>;
}

export interface ServiceImagesDeps {
  readonly environment: Environment;
  readonly checkout: string;
  readonly architecture: string;
  readonly store: Store;
  readonly chain: Pick<ImageChain, 'find' | 'ensure'>;
  /** Builds a Dockerfile in the engine and imports the image into the store. */
  readonly buildDockerfile: (name: string, source: DockerfileSource, run: Run) => Promise<Image>;
}

/** A build takes a second; if the source changes during each of several builds, the user is still editing. */
const buildAttempts = 3;

/** Finds and builds the images of the environment's services, and remembers what this run has built. */
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

  /** Builds again while files are saved during the build: the image must match the source read before it. */
  async function buildUnchanged(name: string, base: Image | undefined, run: Run): Promise<ServiceImage> {
    const dockerfile = await dockerfileOf(name);
    for (let attempt = 0; attempt < buildAttempts; attempt += 1) {
      const source = await read(name);
      const { hash: sourceHash } = source;
      const built = base
        ? await buildStandIn(name, sourceHash, base)
        : await withNumericUser(
            await withTmp(await deps.buildDockerfile(name, dockerfile as DockerfileSource, run), store),
            store,
          );
      const image = withVolumes(built, listVolumes(environment, name, { isStandIn: base !== undefined }));
      if (listSaved(source, await read(name)).length === 0) {
        sources.recordBuilt(name, source);
        await store.putImage(sources.keyOf(name, sourceHash, base), image);
        return {
          reference: toBuiltReference(name, image),
          image,
          sourceHash,
          isStandIn: base !== undefined,
        };
      }
      run.report('the source changed during the build: building again');
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
    getSource: sources.get,
    listFolders: sources.listFolders,

    async describe(name) {
      const dockerfile = await dockerfileOf(name);
      return dockerfile ? join(dockerfile.root, dockerfile.dockerfile) : 'stand-in';
    },

    find: sources.find,

    async build(name, run) {
      const isStandIn = (await dockerfileOf(name)) === undefined;
      const base = isStandIn ? (await chain.ensure('service-base', run)).image : undefined;
      return buildUnchanged(name, base, run);
    },
  };
}
