import { resolve } from 'node:path';
import type { Environment } from '../../config/schema.ts';
import { hash } from '../../lib/hash.ts';
import { type Image, imageId } from '../../lib/oci.ts';
import { listVolumes } from '../build/volumes.ts';
import { toBuiltReference } from '../built-reference.ts';
import type { ResolvedImage } from '../find-image.ts';
import type { Store } from '../store/store.ts';
import { type DockerfileSource, findDockerfile, readContext } from './dockerfile-source.ts';
import type { SourceState } from './source-state.ts';
import { readStandIn } from './stand-in-source.ts';

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
  /** Reads the current source of the service. */
  read(name: string): Promise<SourceState>;
  /** The hash of the source that this run read first or built last. */
  hashOf(name: string): Promise<string>;
  /** Makes the hash of a build the one that `hashOf` and `find` use in this run. */
  recordBuilt(name: string, sourceHash: string): void;
  /** The store's key of the service's image; `base` is the base image of a stand-in. */
  keyOf(name: string, sourceHash: string, base: Image | undefined): string;
  /** The image of `hashOf`; undefined when it is not built yet. */
  find(name: string): Promise<ServiceImage | undefined>;
}

export interface ServiceSourcesDeps {
  readonly environment: Environment;
  readonly checkout: string;
  readonly architecture: string;
  readonly store: Pick<Store, 'findImage'>;
  /** The base image of all stand-ins. */
  readonly findBase: () => Promise<ResolvedImage | undefined>;
}

/** Sources for one run, in which each source is read once unless `read` is called. */
export function createServiceSources(deps: ServiceSourcesDeps): ServiceSources {
  const { environment, checkout, architecture, store, findBase } = deps;
  const hashes = new Map<string, Promise<string>>();
  const dockerfileOf = (name: string) => findDockerfile(environment, name, checkout);

  async function read(name: string): Promise<SourceState> {
    const dockerfile = await dockerfileOf(name);
    const folder = resolve(checkout, environment.services[name]?.standIn ?? '');
    return dockerfile ? readContext(dockerfile) : readStandIn({ folder, checkout });
  }

  // What is saved during a run belongs to the next one.
  function hashOf(name: string): Promise<string> {
    const known = hashes.get(name) ?? read(name).then((source) => source.hash);
    hashes.set(name, known);
    return known;
  }

  const keyOf = (name: string, sourceHash: string, base: Image | undefined) => {
    const volumes = listVolumes(environment, name, { isStandIn: base !== undefined });
    const image = { sourceHash, base: base && imageId(base), architecture, volumes };
    // The second format of an image from a Dockerfile: its user is a number.
    return `service-${name}-${hash(base ? image : { ...image, format: 2 })}`;
  };

  return {
    dockerfileOf,
    read,
    hashOf,
    recordBuilt: (name, sourceHash) => void hashes.set(name, Promise.resolve(sourceHash)),
    keyOf,
    async find(name) {
      const isStandIn = (await dockerfileOf(name)) === undefined;
      const [sourceHash, base] = await Promise.all([hashOf(name), isStandIn ? findBase() : undefined]);
      if (isStandIn && !base) return undefined;
      const image = await store.findImage(keyOf(name, sourceHash, base?.image));
      return image && { reference: toBuiltReference(name, image), image, sourceHash, isStandIn };
    },
  };
}
