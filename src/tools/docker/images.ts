import type { Readable } from 'node:stream';
import type Dockerode from 'dockerode';
import { abortable } from '../../lib/abortable.ts';
import type { Digest } from '../../lib/oci.ts';
import type { Exec } from '../exec.ts';
import { getRemoteDigest, type PullOptions, pullImage } from '../registry/pull.ts';
import { type AbortOptions, type DockerConnection, orUndefined } from './connection.ts';

export interface DockerImage {
  /** `sha256:…` of the configuration (of the manifest, in an engine that stores images in containerd). */
  readonly id: string;
  readonly tags: readonly string[];
  /** `repository@sha256:…`, one per registry that it came from or went to. */
  readonly digests: readonly string[];
  readonly architecture: string;
  /** Bytes. */
  readonly size: number;
  /** `sha256:…` of each layer's uncompressed tar, the lowest first. */
  readonly layers: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly os: string;
  /** How its containers start: the fields of the OCI image-spec, and some of Docker's own. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Folders in which the engine stores each layer, the uppermost first; empty where it stores them in another way. */
  readonly layerFolders: readonly string[];
}

export interface DockerImageSummary {
  readonly id: string;
  readonly tags: readonly string[];
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly labels: Readonly<Record<string, string>>;
}

/** The images of an engine. Every name is a name or an ID. */
export interface DockerImages {
  findImage(name: string, options?: AbortOptions): Promise<DockerImage | undefined>;
  /** The instructions that the image was made by, the newest first. */
  listHistory(name: string, options?: AbortOptions): Promise<readonly string[]>;
  /** The images with this label (`key` or `key=value`), or all. */
  listImages(label?: string, options?: AbortOptions): Promise<readonly DockerImageSummary[]>;
  /** @throws {PullFailure} whose `problem` distinguishes a missing image from a missing network. */
  pullImage(name: string, options: PullOptions): Promise<void>;
  /** The digest that the registry has under the image's tag now; nothing is downloaded. @throws {PullFailure} */
  getRemoteDigest(name: string, options?: AbortOptions): Promise<Digest>;
  /** The tar of `docker save`. */
  saveImages(names: readonly string[], options?: AbortOptions): Promise<Readable>;
  /** Reads the tar of a `docker save`; resolves to the names and IDs that the engine reports. */
  loadImages(archive: Readable, options?: AbortOptions): Promise<readonly string[]>;
  /** Makes an image of one layer from the tar of a root file system. `changes` are lines of a Dockerfile. */
  importImage(
    archive: Readable,
    name: string,
    options?: AbortOptions & { readonly changes?: readonly string[] },
  ): Promise<void>;
  tagImage(source: string, name: string, options?: AbortOptions): Promise<void>;
  /** Removes the name, and the image with its last name; does nothing when it does not exist. */
  removeImage(name: string, options?: AbortOptions): Promise<void>;
}

interface ImageInspection extends Omit<Dockerode.ImageInspectInfo, 'GraphDriver'> {
  readonly GraphDriver?: {
    readonly Name: string;
    readonly Data?: { readonly UpperDir?: string; readonly LowerDir?: string } | null;
  };
}

/** Missing in the library's types. */
interface SavesSeveral {
  getImages(query: { names: string[] }): Promise<NodeJS.ReadableStream>;
}

export function createDockerImages(
  { watch, connect, request, getJson, requestStream, follow }: DockerConnection,
  exec: Exec,
): DockerImages {
  return {
    async findImage(name, { signal } = {}) {
      const path = `/images/${name}/json`;
      const found = await orUndefined(getJson<ImageInspection>(`image ${name}`, signal, path));
      return (
        found && {
          id: found.Id,
          tags: found.RepoTags ?? [],
          digests: found.RepoDigests ?? [],
          architecture: found.Architecture,
          size: found.Size,
          layers: found.RootFS.Layers ?? [],
          labels: found.Config?.Labels ?? {},
          os: found.Os,
          config: { ...found.Config },
          layerFolders: listLayerFolders(found),
        }
      );
    },

    async listHistory(name, { signal } = {}) {
      const path = `/images/${name}/history`;
      const entries = await getJson<{ CreatedBy: string }[]>(`image ${name}`, signal, path);
      return entries.map(({ CreatedBy }) => CreatedBy);
    },

    async listImages(label, { signal } = {}) {
      const filters = label === undefined ? {} : { filters: { label: [label] } };
      const found = await request('the list of images', signal, (api) => api.listImages(filters));
      return found.map((image) => ({
        id: image.Id,
        tags: image.RepoTags ?? [],
        size: image.Size,
        created: image.Created * 1000,
        labels: image.Labels ?? {},
      }));
    },

    async pullImage(name, options) {
      const api = await connect();
      await watch(options.signal, (signal) => pullImage(api, exec, name, { ...options, signal }));
    },

    getRemoteDigest: (name, { signal } = {}) =>
      watch(signal, (limited) =>
        abortable(
          connect().then((api) => getRemoteDigest(api, exec, name)),
          limited,
        ),
      ),

    saveImages: (names, { signal } = {}) =>
      requestStream(`saving ${names.join(', ')}`, signal, (api) =>
        (api as Dockerode & SavesSeveral).getImages({ names: [...names] }),
      ),

    async loadImages(archive, { signal } = {}) {
      const loaded: string[] = [];
      const load = (api: Dockerode) => api.loadImage(archive);
      await follow('loading images into the engine', signal, load, ({ stream = '' }) => {
        const name = /^Loaded image(?: ID)?: (.+)$/m.exec(stream)?.[1];
        if (name !== undefined) loaded.push(name.trim());
      });
      return loaded;
    },

    async importImage(archive, name, { signal, changes = [] } = {}) {
      const { repository, tag } = splitTag(name);
      const query = { repo: repository, tag, changes: [...changes] };
      await follow(`importing image ${name}`, signal, (api) => api.importImage(archive, query));
    },

    async tagImage(source, name, { signal } = {}) {
      const { repository, tag } = splitTag(name);
      await request(`image ${source}`, signal, (api) => api.getImage(source).tag({ repo: repository, tag }));
    },

    async removeImage(name, { signal } = {}) {
      await orUndefined(request(`removing image ${name}`, signal, (api) => api.getImage(name).remove()));
    },
  };
}

/** Only overlay2 lists the folders of all layers; other drivers and engines with containerd's image store do not. */
function listLayerFolders({ GraphDriver, RootFS }: ImageInspection): readonly string[] {
  const { UpperDir, LowerDir = '' } = GraphDriver?.Data ?? {};
  if (GraphDriver?.Name !== 'overlay2' || UpperDir === undefined) return [];
  const folders = [UpperDir, ...LowerDir.split(':').filter((folder) => folder !== '')];
  return folders.length === RootFS.Layers?.length ? folders : [];
}

/** `repository:tag`; a colon before the last slash belongs to the registry's port. */
function splitTag(name: string): { readonly repository: string; readonly tag: string } {
  const colon = name.lastIndexOf(':');
  return colon > name.lastIndexOf('/')
    ? { repository: name.slice(0, colon), tag: name.slice(colon + 1) }
    : { repository: name, tag: 'latest' };
}
