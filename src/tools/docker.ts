import { addAbortSignal, type Readable } from 'node:stream';
import type Dockerode from 'dockerode';
import type { Digest } from '../lib/oci.ts';
import { type DockerEvent, isAbsent, readEvents, toFailure } from './docker-answers.ts';
import { getRemoteDigest, type PullOptions, pullImage } from './docker-pull.ts';
import { askSocket } from './engine-socket.ts';
import type { Exec } from './exec.ts';

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
  /** How its containers start, by the names of the OCI image-spec; and some that only Docker knows. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Where the engine keeps what each layer holds, the uppermost first; none where it keeps them in another way. */
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

export type ContainerState = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';

export interface ContainerPort {
  readonly address: string;
  readonly hostPort: number;
  readonly containerPort: number;
}

export interface DockerContainer {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly state: ContainerState;
  readonly labels: Readonly<Record<string, string>>;
  /** As asked for when it was created, so a stopped container has them too. */
  readonly ports: readonly ContainerPort[];
}

export interface DockerContainerDetails extends DockerContainer {
  readonly imageId: string;
  /** Of the last run; 0 while it runs. */
  readonly exitCode: number;
  /** Why the engine could not start it; empty when it could. */
  readonly error: string;
  readonly startedAt: string;
  /** Network name → IPv4 address; empty while it is stopped. */
  readonly addresses: Readonly<Record<string, string>>;
  readonly mounts: readonly { readonly source: string; readonly destination: string }[];
}

export interface NewContainer {
  readonly image: string;
  readonly name?: string;
  readonly command?: readonly string[];
  readonly privileged?: boolean;
  /** Folders of the engine's machine that it sees, read-only: destination → source. */
  readonly folders?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

interface Aborting {
  readonly signal?: AbortSignal | undefined;
}

/** The container engine, as far as this program needs it. Every name is a name or an ID. */
export interface Docker {
  /** What child programs (docker, kind) need in their environment to talk to the same engine. */
  readonly env: Readonly<Record<string, string>>;

  findImage(name: string, options?: Aborting): Promise<DockerImage | undefined>;
  /** The instructions that the image was made by, the newest first. */
  listHistory(name: string, options?: Aborting): Promise<readonly string[]>;
  /** The images with this label (`key` or `key=value`), or all. */
  listImages(label?: string, options?: Aborting): Promise<readonly DockerImageSummary[]>;
  /** @throws {PullFailure} that tells no such image from no network. */
  pullImage(name: string, options: PullOptions): Promise<void>;
  /** The digest that the registry has under the image's tag now; nothing is downloaded. @throws {PullFailure} */
  getRemoteDigest(name: string, options?: Aborting): Promise<Digest>;
  /** The tar of `docker save`. */
  saveImages(names: readonly string[], options?: Aborting): Promise<Readable>;
  /** Reads the tar of a `docker save`; resolves to the names and IDs that the engine reports. */
  loadImages(archive: Readable, options?: Aborting): Promise<readonly string[]>;
  /** Makes an image of one layer from the tar of a root file system. `changes` are lines of a Dockerfile. */
  importImage(
    archive: Readable,
    name: string,
    options?: Aborting & { readonly changes?: readonly string[] },
  ): Promise<void>;
  tagImage(source: string, name: string, options?: Aborting): Promise<void>;
  /** Removes the name, and the image with its last name; nothing when it is not there. */
  removeImage(name: string, options?: Aborting): Promise<void>;

  findContainer(name: string, options?: Aborting): Promise<DockerContainerDetails | undefined>;
  /** All containers, running or not, that have every one of these labels (`key` or `key=value`). */
  listContainers(labels?: readonly string[], options?: Aborting): Promise<readonly DockerContainer[]>;
  /** Resolves to the ID. */
  createContainer(container: NewContainer, options?: Aborting): Promise<string>;
  /** Nothing when it runs already. */
  startContainer(name: string, options?: Aborting): Promise<void>;
  /** Nothing when it is stopped already. `seconds` until it is killed, 10 by default. */
  stopContainer(name: string, options?: Aborting & { readonly seconds?: number }): Promise<void>;
  unpauseContainer(name: string, options?: Aborting): Promise<void>;
  /** Removes it with its anonymous volumes, running or not; nothing when it is not there. */
  removeContainer(name: string, options?: Aborting): Promise<void>;
  /** The tar of a file or folder, also out of a container that is stopped or was never started. */
  readArchive(container: string, path: string, options?: Aborting): Promise<Readable>;

  /** A network's MTU as it was set; undefined where the network is missing or has the engine's default. */
  findNetworkMtu(name: string, options?: Aborting): Promise<number | undefined>;
}

/** Milliseconds for one question; an engine that pulls and builds takes its time. */
const questionTimeout = 60_000;

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

/** The engine at this socket. @throws {Failure} from every method, when the engine refuses or does not answer. */
export function createDocker({ socket }: { readonly socket: string }, exec: Exec): Docker {
  const env = { DOCKER_HOST: `unix://${socket}`, KIND_EXPERIMENTAL_PROVIDER: 'docker' };
  let connection: Promise<Dockerode> | undefined;
  // Imported at the first question: it takes a quarter of a second, and many commands ask none.
  const connect = () => {
    connection ??= import('dockerode').then(
      // Without `host`, a DOCKER_HOST in the environment would win over the socket.
      ({ default: Api }) => new Api({ socketPath: socket, host: '' }),
    );
    return connection;
  };

  /** One question or change. What the engine leaves unanswered does not hold an aborted run. */
  const ask = async <T>(
    what: string,
    signal: AbortSignal | undefined,
    question: (api: Dockerode) => Promise<T>,
  ): Promise<T> => {
    signal?.throwIfAborted();
    try {
      return await unlessAborted(connect().then(question), signal);
    } catch (error) {
      signal?.throwIfAborted();
      throw toFailure(what, error);
    }
  };
  /** A question that needs no library: it is what commands begin with. */
  const askPlainly = async <T>(what: string, signal: AbortSignal | undefined, path: string): Promise<T> => {
    try {
      return await askSocket<T>(socket, path, { timeout: questionTimeout, signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw toFailure(what, error);
    }
  };
  const askForStream = async (
    what: string,
    signal: AbortSignal | undefined,
    question: (api: Dockerode) => Promise<NodeJS.ReadableStream>,
  ): Promise<Readable> => {
    const stream = (await ask(what, signal, question)) as Readable;
    return signal ? addAbortSignal(signal, stream) : stream;
  };
  /** A change that the engine tells about while it goes on; resolves when it ended well. */
  const follow = async (
    what: string,
    signal: AbortSignal | undefined,
    question: (api: Dockerode) => Promise<NodeJS.ReadableStream>,
    onEvent: (event: DockerEvent) => void = () => {},
  ): Promise<void> => {
    const answer = await askForStream(what, signal, question);
    try {
      for await (const event of readEvents(answer)) onEvent(event);
    } catch (error) {
      signal?.throwIfAborted();
      throw toFailure(what, error);
    }
  };
  const orUndefined = <T>(answer: Promise<T>): Promise<T | undefined> =>
    answer.catch((error: unknown) => {
      if (isAbsent(error)) return undefined;
      throw error;
    });
  const orDone = async (change: Promise<unknown>): Promise<void> => {
    await orUndefined(change);
  };

  return {
    env,

    async findImage(name, { signal } = {}) {
      const path = `/images/${name}/json`;
      const found = await orUndefined(askPlainly<ImageInspection>(`image ${name}`, signal, path));
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
      const entries = await askPlainly<{ CreatedBy: string }[]>(`image ${name}`, signal, path);
      return entries.map(({ CreatedBy }) => CreatedBy);
    },

    async listImages(label, { signal } = {}) {
      const filters = label === undefined ? {} : { filters: { label: [label] } };
      const found = await ask('the list of images', signal, (api) => api.listImages(filters));
      return found.map((image) => ({
        id: image.Id,
        tags: image.RepoTags ?? [],
        size: image.Size,
        created: image.Created * 1000,
        labels: image.Labels ?? {},
      }));
    },

    async pullImage(name, options) {
      await pullImage(await connect(), exec, name, options);
    },

    getRemoteDigest: (name, { signal } = {}) =>
      unlessAborted(
        connect().then((api) => getRemoteDigest(api, exec, name)),
        signal,
      ),

    saveImages: (names, { signal } = {}) =>
      askForStream(`saving ${names.join(', ')}`, signal, (api) =>
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
      await ask(`image ${source}`, signal, (api) => api.getImage(source).tag({ repo: repository, tag }));
    },

    removeImage: (name, { signal } = {}) =>
      orDone(ask(`removing image ${name}`, signal, (api) => api.getImage(name).remove())),

    async findContainer(name, { signal } = {}) {
      const path = `/containers/${encodeURIComponent(name)}/json`;
      const found = await orUndefined(
        askPlainly<Dockerode.ContainerInspectInfo>(`container ${name}`, signal, path),
      );
      return found && toDetails(found);
    },

    async listContainers(labels = [], { signal } = {}) {
      const query = new URLSearchParams({ all: 'true', filters: JSON.stringify({ label: labels }) });
      const path = `/containers/json?${query}`;
      const found = await askPlainly<Dockerode.ContainerInfo[]>('the list of containers', signal, path);
      // A stopped container's ports are missing in the list.
      return Promise.all(
        found.map(async (entry) =>
          entry.State === 'running'
            ? toContainer(entry)
            : ((await this.findContainer(entry.Id, { signal })) ?? toContainer(entry)),
        ),
      );
    },

    async createContainer(container, { signal } = {}) {
      const { image, name, command, privileged = false, folders = {}, labels = {} } = container;
      const created = await ask(`a container of ${image}`, signal, (api) =>
        api.createContainer({
          ...(name === undefined ? {} : { name }),
          ...(command === undefined ? {} : { Cmd: [...command] }),
          Image: image,
          Labels: { ...labels },
          HostConfig: {
            Privileged: privileged,
            Binds: Object.entries(folders).map(([destination, source]) => `${source}:${destination}:ro`),
          },
        }),
      );
      return created.id;
    },

    startContainer: (name, { signal } = {}) =>
      ask(`starting container ${name}`, signal, (api) => unlessSo(api.getContainer(name).start())),

    stopContainer: (name, { signal, seconds = 10 } = {}) =>
      ask(`stopping container ${name}`, signal, (api) =>
        unlessSo(api.getContainer(name).stop({ t: seconds })),
      ),

    unpauseContainer: (name, { signal } = {}) =>
      ask(`unpausing container ${name}`, signal, (api) => api.getContainer(name).unpause()),

    removeContainer: (name, { signal } = {}) =>
      orDone(
        ask(`removing container ${name}`, signal, (api) =>
          api.getContainer(name).remove({ force: true, v: true }),
        ),
      ),

    readArchive: (container, path, { signal } = {}) =>
      askForStream(`${path} of container ${container}`, signal, (api) =>
        api.getContainer(container).getArchive({ path }),
      ),

    async findNetworkMtu(name, { signal } = {}) {
      const found = await orUndefined(
        ask(`network ${name}`, signal, (api) => api.getNetwork(name).inspect()),
      );
      const mtu = found?.Options?.['com.docker.network.driver.mtu'];
      return mtu === undefined ? undefined : Number(mtu);
    },
  };
}

/** overlay2 names the folders of all layers, and so does no other driver; nor does an engine that leaves that to containerd. */
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

/** Docker answers 304 where the container is as it should be. */
async function unlessSo(change: Promise<unknown>): Promise<void> {
  await change.catch((error: { statusCode?: number }) => {
    if (error.statusCode !== 304) throw error;
  });
}

async function unlessAborted<T>(answer: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return answer;
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
  });
  return Promise.race([answer, aborted]).finally(() => signal.removeEventListener('abort', stop));
}

function toContainer(entry: Dockerode.ContainerInfo): DockerContainer {
  return {
    id: entry.Id,
    name: (entry.Names[0] ?? entry.Id).replace(/^\//, ''),
    image: entry.Image,
    state: entry.State as ContainerState,
    labels: entry.Labels ?? {},
    ports: (entry.Ports ?? [])
      .filter(({ PublicPort }) => PublicPort !== undefined)
      .map(({ IP, PublicPort, PrivatePort }) => ({
        address: IP,
        hostPort: PublicPort,
        containerPort: PrivatePort,
      })),
  };
}

function toDetails(found: Dockerode.ContainerInspectInfo): DockerContainerDetails {
  const bindings = Object.entries(found.HostConfig.PortBindings ?? {}) as [string, unknown][];
  return {
    id: found.Id,
    name: found.Name.replace(/^\//, ''),
    image: found.Config.Image,
    imageId: found.Image,
    state: found.State.Status as ContainerState,
    exitCode: found.State.ExitCode,
    error: found.State.Error,
    startedAt: found.State.StartedAt,
    labels: found.Config.Labels ?? {},
    ports: bindings.flatMap(([containerPort, hosts]) =>
      ((hosts ?? []) as { HostIp?: string; HostPort?: string }[]).map(({ HostIp, HostPort }) => ({
        address: HostIp || '0.0.0.0',
        hostPort: Number(HostPort),
        containerPort: Number.parseInt(containerPort, 10),
      })),
    ),
    addresses: Object.fromEntries(
      Object.entries(found.NetworkSettings.Networks ?? {})
        .filter(([, network]) => network.IPAddress)
        .map(([network, { IPAddress }]) => [network, IPAddress]),
    ),
    mounts: found.Mounts.map(({ Source, Destination }) => ({ source: Source, destination: Destination })),
  };
}
