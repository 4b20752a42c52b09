import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';
import { type Digest, digestOf } from '../../src/lib/oci.ts';
import type { Docker } from '../../src/tools/docker/docker.ts';
import type { DockerImage } from '../../src/tools/docker/images.ts';
import { PullFailure } from '../../src/tools/registry/pull.ts';

/** Content by name with tag; or the engine's error message when the registry is unreachable. */
export type FakeRegistry = string | Readonly<Record<string, string>>;

export type FakeDocker = Pick<
  Docker,
  'findImage' | 'pullImage' | 'getRemoteDigest' | 'saveImages' | 'removeImage' | 'tagImage'
> & {
  /** Names of the engine's images. */
  names(): readonly string[];
  /** Adds an image without a digest, like `docker load`. */
  add(name: string, content: string): Promise<void>;
  /** Image names that were requested from registries, in order. */
  readonly requests: readonly string[];
};

/** An engine with its images in memory. Tests may change the registries that it can reach. */
export function createFakeDocker(registries: Record<string, FakeRegistry>): FakeDocker {
  const images = new Map<string, { readonly details: DockerImage; readonly archive: Buffer }>();
  const requests: string[] = [];

  /** The tags in the registry of this image name. */
  function request(name: string): {
    readonly repository: string;
    readonly tags: Readonly<Record<string, string>>;
  } {
    requests.push(name);
    const [host = '', ...path] = name.split('/');
    const registry = registries[host] ?? 'dial tcp: lookup of the host: no such host';
    if (typeof registry === 'string') throw new PullFailure(name, new Error(registry));
    return { repository: path.join('/'), tags: registry };
  }

  function notFound(name: string): PullFailure {
    return new PullFailure(name, new Error('manifest unknown: manifest unknown'));
  }

  async function put(name: string, content: string, digests: readonly string[]): Promise<void> {
    const { archive, id, layers } = await makeArchive(content);
    const details = {
      ...{ id, tags: [name], digests, architecture: 'amd64', os: 'linux', size: 1, layers, labels: {} },
      ...{ config: {}, layerFolders: [] },
    };
    images.set(name, { details, archive });
  }

  return {
    requests,
    names: () => [...images.keys()],
    add: (name, content) => put(name, content, []),

    findImage: async (name) => images.get(name)?.details,

    async getRemoteDigest(name) {
      const { repository, tags } = request(name);
      const content = tags[repository];
      if (content === undefined) throw notFound(name);
      return digestOf(content);
    },

    async pullImage(name) {
      const { repository, tags } = request(name);
      const [path = '', digest] = repository.split('@');
      const content = digest
        ? Object.entries(tags).find(
            ([tag, each]) => tag.startsWith(`${path}:`) && digestOf(each) === digest,
          )?.[1]
        : tags[repository];
      if (content === undefined) throw notFound(name);
      const host = name.split('/')[0];
      // The engine omits the host of Docker Hub.
      const known = `${host}/${path.replace(/:[^:]*$/, '')}`.replace(/^docker\.io\/(library\/)?/, '');
      await put(name, content, [`${known}@${digestOf(content)}`]);
    },

    async saveImages([name = '']) {
      const image = images.get(name);
      if (!image) throw new Error(`no image ${name} to save`);
      return Readable.from([image.archive]);
    },

    async removeImage(name) {
      images.delete(name);
    },

    async tagImage(source, name) {
      const image = images.get(source);
      if (!image) throw new Error(`no image ${source} to tag`);
      images.set(name, image);
    },
  };
}

/** An archive like that of `docker save`: one layer with one file, which has this content. */
async function makeArchive(content: string) {
  const layerTar = pack();
  // Without a fixed time, the digest would change every second.
  layerTar.entry({ name: 'content', mtime: new Date(0) }, content);
  layerTar.finalize();
  const layer = await buffer(Readable.from(layerTar));
  const layers: readonly Digest[] = [digestOf(layer)];
  const config = JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: layers },
  });
  const [, id] = digestOf(config).split(':');
  const tar = pack();
  tar.entry({ name: 'a/layer.tar' }, layer);
  tar.entry({ name: `${id}.json` }, config);
  tar.entry({ name: 'manifest.json' }, JSON.stringify([{ Config: `${id}.json`, Layers: ['a/layer.tar'] }]));
  tar.finalize();
  return { archive: await buffer(Readable.from(tar)), id: digestOf(config), layers };
}
