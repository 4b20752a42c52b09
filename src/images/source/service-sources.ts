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

/** The image of one of our own services, made of its source as it is now. */
export interface ServiceImage {
  /** `wealist.local/<service>:<first digits of the image ID>`: another content is another name. */
  readonly reference: string;
  readonly image: Image;
  /** Of everything that it was built from. */
  readonly sourceHash: string;
  /** False when it was built from a Dockerfile. */
  readonly isStandIn: boolean;
}

/** The services' sources as they are now, and what has been built of them. Nothing here is slow to import. */
export interface ServiceSources {
  /** Undefined for a stand-in. */
  dockerfileOf(name: string): Promise<DockerfileSource | undefined>;
  /** All that goes into the service's image from its source, as it is now. */
  read(name: string): Promise<SourceState>;
  /** The hash of the source as this run first saw it, or as it was built since. */
  hashOf(name: string): Promise<string>;
  /** This run goes on with what was built. */
  recordBuilt(name: string, sourceHash: string): void;
  /** What the store keeps the service's image under; `base` is that of a stand-in. */
  keyOf(name: string, sourceHash: string, base: Image | undefined): string;
  /** The image of `hashOf`; undefined when it is not built yet. */
  find(name: string): Promise<ServiceImage | undefined>;
}

export interface ServiceSourcesDeps {
  readonly environment: Environment;
  readonly checkout: string;
  readonly architecture: string;
  readonly store: Pick<Store, 'findImage'>;
  /** The image that all stand-ins are laid over. */
  readonly findBase: () => Promise<ResolvedImage | undefined>;
}

export function createServiceSources(deps: ServiceSourcesDeps): ServiceSources {
  const { environment, checkout, architecture, store, findBase } = deps;
  const hashes = new Map<string, Promise<string>>();
  const dockerfileOf = (name: string) => findDockerfile(environment, name, checkout);

  async function read(name: string): Promise<SourceState> {
    const dockerfile = await dockerfileOf(name);
    const folder = resolve(checkout, environment.services[name]?.standIn ?? '');
    return dockerfile ? readContext(dockerfile) : readStandIn({ folder, checkout });
  }

  // What is saved while a run works is for the next one.
  function hashOf(name: string): Promise<string> {
    const known = hashes.get(name) ?? read(name).then((source) => source.hash);
    hashes.set(name, known);
    return known;
  }

  const keyOf = (name: string, sourceHash: string, base: Image | undefined) => {
    const volumes = listVolumes(environment, name, { isStandIn: base !== undefined });
    return `service-${name}-${hash({ sourceHash, base: base && imageId(base), architecture, volumes })}`;
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
