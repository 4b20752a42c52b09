import { join, resolve } from 'node:path';
import { toWords } from '../../config/host-build.ts';
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
import { isDockerfileState, type OwnBase, toBuiltState } from '../source/with-bases.ts';
import { packLayer } from '../store/layer.ts';
import type { Store } from '../store/store.ts';
import { bundleStandIn } from './bundle.ts';
import { ensurePackagesLayer } from './npm-packages.ts';
import { withNumericUser } from './numeric-user.ts';
import { toStandInImage } from './stand-in-image.ts';
import { findLiveFolders, listVolumes, withRestart, withTmp, withVolumes } from './volumes.ts';

export type { ServiceImage } from '../source/service-sources.ts';

export interface ServiceImages {
  /** `stand-in`, the path of the Dockerfile that the service is built from, or the command that builds it here. */
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
  /** Builds a Dockerfile, and before that its base images, in the engine, and imports the image into the store. */
  readonly buildDockerfile: (
    name: string,
    source: DockerfileSource,
    bases: readonly OwnBase[],
    run: Run,
  ) => Promise<Image>;
  /** The ID of an image in the engine. */
  readonly findImageId: (reference: string) => Promise<string | undefined>;
  /** Whether images are built although there is one of the current source; each once in this run. */
  readonly rebuild?: boolean;
}

/** A build takes a second; if the source changes during each of several builds, the user is still editing. */
const buildAttempts = 3;

/** Finds and builds the images of the environment's services, and remembers what this run has built. */
export function createServiceImages(deps: ServiceImagesDeps): ServiceImages {
  const { environment, checkout, architecture, store, chain } = deps;

  const sources = createServiceSources({ ...deps, findBase: () => chain.find('service-base') });
  const { dockerfileOf, read } = sources;
  const folderOf = (name: string) => resolve(checkout, environment.services[name]?.standIn ?? '');

  /** The services that this run has built. */
  const built = new Set<string>();

  let packages: Promise<Layer> | undefined;
  const findPackages = () => {
    packages ??= ensurePackagesLayer(store, checkout);
    return packages;
  };

  /** Builds again while files are saved during the build: the image must match the source read before it. */
  async function buildUnchanged(name: string, base: Image | undefined, run: Run): Promise<ServiceImage> {
    for (let attempt = 0; attempt < buildAttempts; attempt += 1) {
      const source = await read(name);
      const made = base
        ? await buildStandIn(name, source.hash, base)
        : await withNumericUser(await withTmp(await buildDockerfile(name, source, run), store), store);
      const kind = { isStandIn: base !== undefined };
      const restartable = withRestart(made, findLiveFolders(environment, name, kind));
      const image = withVolumes(restartable, listVolumes(environment, name, kind));
      const after = await read(name);
      const state = listSaved(source, after).length === 0 ? toBuiltState(source, after) : undefined;
      if (state) {
        const { hash: sourceHash } = state;
        sources.recordBuilt(name, state);
        built.add(name);
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

  async function buildDockerfile(name: string, state: SourceState, run: Run): Promise<Image> {
    const dockerfile = await dockerfileOf(name);
    if (!dockerfile || !isDockerfileState(state)) throw new Error(`${name} has no Dockerfile`);
    return deps.buildDockerfile(name, dockerfile, state.bases, run);
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
      if (!dockerfile) return 'stand-in';
      const { host, root } = dockerfile;
      return host
        ? `${toWords(host.run).join(' ')} in ${join(root, host.in)}`
        : join(root, dockerfile.dockerfile);
    },

    find: async (name) => (deps.rebuild && !built.has(name) ? undefined : sources.find(name)),

    async build(name, run) {
      const isStandIn = (await dockerfileOf(name)) === undefined;
      const base = isStandIn ? (await chain.ensure('service-base', run)).image : undefined;
      return buildUnchanged(name, base, run);
    },
  };
}
