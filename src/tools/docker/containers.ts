import type { Readable } from 'node:stream';
import type Dockerode from 'dockerode';
import { Failure } from '../../lib/failure.ts';
import { type AbortOptions, type DockerConnection, orUndefined } from './connection.ts';

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
  /** As requested when it was created, so a stopped container has them as well. */
  readonly ports: readonly ContainerPort[];
}

export interface DockerContainerDetails extends DockerContainer {
  readonly imageId: string;
  /** Exit code of the last run; 0 while it is running. */
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
  /** Read-only mounts of folders on the engine's machine: destination → source. */
  readonly folders?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

/** The containers of an engine. Every name is a name or an ID. */
export interface DockerContainers {
  findContainer(name: string, options?: AbortOptions): Promise<DockerContainerDetails | undefined>;
  /** All containers, running or not, that have every one of these labels (`key` or `key=value`). */
  listContainers(labels?: readonly string[], options?: AbortOptions): Promise<readonly DockerContainer[]>;
  /** Resolves to the ID. */
  createContainer(container: NewContainer, options?: AbortOptions): Promise<string>;
  /** Does nothing when it is running already. */
  startContainer(name: string, options?: AbortOptions): Promise<void>;
  /** Does nothing when it is stopped already. `seconds` until it is killed, 10 by default. */
  stopContainer(name: string, options?: AbortOptions & { readonly seconds?: number }): Promise<void>;
  unpauseContainer(name: string, options?: AbortOptions): Promise<void>;
  /** Removes it with its anonymous volumes, running or not; does nothing when it does not exist. */
  removeContainer(name: string, options?: AbortOptions): Promise<void>;
  /** The tar of a file or folder, also out of a container that is stopped or was never started. */
  readArchive(container: string, path: string, options?: AbortOptions): Promise<Readable>;
}

export function createDockerContainers({
  request,
  getJson,
  requestStream,
}: DockerConnection): DockerContainers {
  return {
    async findContainer(name, { signal } = {}) {
      const path = `/containers/${encodeURIComponent(name)}/json`;
      const found = await orUndefined(
        getJson<Dockerode.ContainerInspectInfo>(`container ${name}`, signal, path),
      );
      return found && toDetails(found);
    },

    async listContainers(labels = [], { signal } = {}) {
      const query = new URLSearchParams({ all: 'true', filters: JSON.stringify({ label: labels }) });
      const path = `/containers/json?${query}`;
      const found = await getJson<Dockerode.ContainerInfo[]>('the list of containers', signal, path);
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
      const created = await request(`a container of ${image}`, signal, (api) =>
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
      request(`starting container ${name}`, signal, (api) => ignoreUnchanged(api.getContainer(name).start())),

    stopContainer: (name, { signal, seconds = 10 } = {}) =>
      request(`stopping container ${name}`, signal, (api) =>
        ignoreUnchanged(api.getContainer(name).stop({ t: seconds })),
      ),

    unpauseContainer: (name, { signal } = {}) =>
      request(`unpausing container ${name}`, signal, (api) => api.getContainer(name).unpause()),

    async removeContainer(name, { signal } = {}) {
      try {
        await orUndefined(
          request(`removing container ${name}`, signal, (api) =>
            api.getContainer(name).remove({ force: true, v: true }),
          ),
        );
      } catch (error) {
        if (!isBeingRemoved(error)) throw error;
        // As after a `down` that was killed: the engine goes on, and the name is taken until it has ended.
        await orUndefined(
          request(`waiting until container ${name} is removed`, signal, (api) =>
            api.getContainer(name).wait({ condition: 'removed' }),
          ),
        );
      }
    },

    readArchive: (container, path, { signal } = {}) =>
      requestStream(`${path} of container ${container}`, signal, (api) =>
        api.getContainer(container).getArchive({ path }),
      ),
  };
}

/** Whether the engine rejected a request since the container is being removed already. */
function isBeingRemoved(error: unknown): boolean {
  return error instanceof Failure && /removal of container .* is already in progress/i.test(error.message);
}

/** Docker responds with 304 where the container is in the requested state already. */
async function ignoreUnchanged(change: Promise<unknown>): Promise<void> {
  await change.catch((error: { statusCode?: number }) => {
    if (error.statusCode !== 304) throw error;
  });
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
