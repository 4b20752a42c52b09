import { realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Environment } from '../../config/schema.ts';
import { hash } from '../../lib/hash.ts';
import { type Image, imageId } from '../../lib/oci.ts';
import { listAdditions } from '../build/volumes.ts';
import { toBuiltReference } from '../built-reference.ts';
import type { ResolvedImage } from '../find-image.ts';
import type { Store } from '../store/store.ts';
import { type DockerfileSource, findBaseDockerfile, findDockerfile } from './dockerfile-source.ts';
import { readContext } from './read-context.ts';
import { isSourcePath, type SourceFolder } from './source-files.ts';
import type { SourceState } from './source-state.ts';
import { readStandIn } from './stand-in-source.ts';
import { type DockerfileState, readWithBases } from './with-bases.ts';

/** The image of one of our own services, built from its source. */
export interface ServiceImage {
  /** `wealist.local/<service>:<first digits of the image ID>`: another content is another name. */
  readonly reference: string;
  readonly image: Image;
  /** Hash of everything that it was built from. */
  readonly sourceHash: string;
  /** False when it was built from a Dockerfile. */
  readonly isStandIn: boolean;
}

/** The services' sources and the images built from them. It imports no slow module, since `status` uses it, too. */
export interface ServiceSources {
  /** The service's Dockerfile; undefined for a stand-in. */
  dockerfileOf(name: string): Promise<DockerfileSource | undefined>;
  /** Reads the current source of the service, whatever this run has read before. The first one is that of `get`. */
  read(name: string): Promise<SourceState>;
  /** The folders of its source, for a watch. */
  listFolders(name: string): Promise<readonly SourceFolder[]>;
  /** The source that this run read first or built last. */
  get(name: string): Promise<SourceState>;
  /** Makes the source of a build the one that `get` and `find` use in this run. */
  recordBuilt(name: string, source: SourceState): void;
  /** The store's key of the service's image; `base` is the base image of a stand-in. */
  keyOf(name: string, sourceHash: string, base: Image | undefined): string;
  /** The image of the source of `get`; undefined when it is not built yet. */
  find(name: string): Promise<ServiceImage | undefined>;
}

export interface ServiceSourcesDeps {
  readonly environment: Environment;
  readonly checkout: string;
  readonly architecture: string;
  readonly store: Pick<Store, 'findImage'>;
  /** The base image of all stand-ins. */
  readonly findBase: () => Promise<ResolvedImage | undefined>;
  /** The ID of an image in the engine; undefined when it has none of this name. */
  readonly findImageId: (reference: string) => Promise<string | undefined>;
}

/** Sources for one run, in which each source is read once unless `read` is called. */
export function createServiceSources(deps: ServiceSourcesDeps): ServiceSources {
  const { environment, checkout, architecture, store, findBase } = deps;
  const known = new Map<string, Promise<SourceState>>();
  const dockerfileOf = (name: string) => findDockerfile(environment, name, checkout);
  const standInOf = (name: string) => resolve(checkout, environment.services[name]?.standIn ?? '');

  async function readNow(name: string): Promise<SourceState> {
    const dockerfile = await dockerfileOf(name);
    return dockerfile ? readDockerfile(dockerfile) : readStandIn({ folder: standInOf(name), checkout });
  }

  function readDockerfile(source: DockerfileSource): Promise<DockerfileState> {
    return readWithBases(source, {
      read: (each) => readContext(each, { architecture }),
      findDockerfile: (reference) => findBaseDockerfile(environment, source.root, reference),
      findImageId: deps.findImageId,
    });
  }

  // What is saved during a run belongs to the next one.
  function read(name: string): Promise<SourceState> {
    const source = readNow(name);
    if (!known.has(name)) known.set(name, source);
    return source;
  }
  const get = (name: string) => known.get(name) ?? read(name);

  const keyOf = (name: string, sourceHash: string, base: Image | undefined) => {
    const volumes = listAdditions(environment, name, { isStandIn: base !== undefined });
    const image = { sourceHash, base: base && imageId(base), architecture, volumes };
    // The second format of an image from a Dockerfile: its user is a number.
    return `service-${name}-${hash(base ? image : { ...image, format: 2 })}`;
  };

  return {
    dockerfileOf,
    read,
    get,
    recordBuilt: (name, source) => void known.set(name, Promise.resolve(source)),
    keyOf,

    async listFolders(name) {
      const dockerfile = await dockerfileOf(name);
      if (dockerfile) return (await readDockerfile(dockerfile)).folders;
      const folders = [standInOf(name), join(checkout, 'services/common')];
      return Promise.all(
        folders.map(async (folder) => ({
          folder: await realpath(folder),
          isSource: isSourcePath,
          skipped: ['**/node_modules/**'],
        })),
      );
    },

    async find(name) {
      const isStandIn = (await dockerfileOf(name)) === undefined;
      const [{ hash: sourceHash }, base] = await Promise.all([get(name), isStandIn ? findBase() : undefined]);
      if (isStandIn && !base) return undefined;
      const image = await store.findImage(keyOf(name, sourceHash, base?.image));
      return image && { reference: toBuiltReference(name, image), image, sourceHash, isStandIn };
    },
  };
}
