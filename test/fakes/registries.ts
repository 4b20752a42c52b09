import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';
import { type Digest, digestOf } from '../../src/lib/oci.ts';
import type { Docker } from '../../src/tools/docker/docker.ts';
import type { DockerImage } from '../../src/tools/docker/images.ts';
import { PullFailure } from '../../src/tools/registry/pull.ts';

/** Name with tag → content; or the engine's message where the registry does not answer. */
export type FakeRegistry = string | Readonly<Record<string, string>>;

export type FakeDocker = Pick<
  Docker,
  'findImage' | 'pullImage' | 'getRemoteDigest' | 'saveImages' | 'removeImage' | 'tagImage'
> & {
  /** Names that the engine has. */
  names(): readonly string[];
  /** Puts an image there as `docker load` does: without a digest. */
  add(name: string, content: string): Promise<void>;
  /** Names with which a registry was asked, in order. */
  readonly requests: readonly string[];
};

/** An engine with its images in memory, and the registries that it can ask, each an object that a test may change. */
export function createFakeDocker(registries: Record<string, FakeRegistry>): FakeDocker {
  const images = new Map<string, { readonly details: DockerImage; readonly archive: Buffer }>();
  const requests: string[] = [];

  /** The tags of the registry that the name is of. */
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
      // As the engine writes it: without what stands for Docker Hub.
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

/** `docker save` of an image with one layer, whose one file has this content. */
async function makeArchive(content: string) {
  const layerTar = pack();
  // Dated, it would be another layer a second later.
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
