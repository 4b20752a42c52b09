import type { Watch } from '../../lib/watchdog.ts';
import type { Exec } from '../exec.ts';
import { createDockerBuildCache, type DockerBuildCache } from './build-cache.ts';
import { type AbortOptions, createConnection, orUndefined } from './connection.ts';
import { createDockerContainers, type DockerContainers } from './containers.ts';
import { createDockerImages, type DockerImages } from './images.ts';

export interface DockerNetwork {
  /** `172.18.0.0/16` */
  readonly subnets: readonly string[];
  /** `br-0123456789ab` */
  readonly device: string;
}

/** The container engine, as far as this program needs it. */
export interface Docker extends DockerImages, DockerContainers, DockerBuildCache {
  /** What child programs (docker, kind) need in their environment to talk to the same engine. */
  readonly env: Readonly<Record<string, string>>;
  /** Ends calls of other programs to this engine when it hangs. */
  readonly watch: Watch;
  /** Processors, and bytes of memory, of the machine that the engine runs on. */
  readCapacity(options?: AbortOptions): Promise<{ readonly cpus: number; readonly memory: number }>;
  /** The folder of the engine's data, on its machine. */
  readRoot(options?: AbortOptions): Promise<string>;
  /** A network's address ranges and its device on the engine's machine; undefined where it does not exist. */
  findNetwork(name: string, options?: AbortOptions): Promise<DockerNetwork | undefined>;
  /** A network's MTU as it was set; undefined where the network is missing or has the engine's default. */
  findNetworkMtu(name: string, options?: AbortOptions): Promise<number | undefined>;
}

/** The engine at this socket. @throws {Failure} from every method: the engine rejects it or does not respond. */
export function createDocker({ socket }: { readonly socket: string }, exec: Exec): Docker {
  const connection = createConnection(socket);
  return {
    ...createDockerImages(connection, exec),
    ...createDockerContainers(connection),
    ...createDockerBuildCache(connection),
    watch: connection.watch,
    env: {
      DOCKER_HOST: `unix://${socket}`,
      KIND_EXPERIMENTAL_PROVIDER: 'docker',
      // Users of Macs often set linux/amd64: nodes and images are of the engine's own architecture.
      DOCKER_DEFAULT_PLATFORM: '',
    },
    async readCapacity({ signal } = {}) {
      const what = 'the processors and memory of the engine';
      const { NCPU, MemTotal } = await connection.getJson<{ NCPU: number; MemTotal: number }>(
        what,
        signal,
        '/info',
      );
      return { cpus: NCPU, memory: MemTotal };
    },
    async readRoot({ signal } = {}) {
      const what = "the folder of the engine's data";
      const { DockerRootDir } = await connection.getJson<{ DockerRootDir: string }>(what, signal, '/info');
      return DockerRootDir;
    },
    async findNetwork(name, { signal } = {}) {
      const found = await orUndefined(
        connection.request(`network ${name}`, signal, (api) => api.getNetwork(name).inspect()),
      );
      if (!found) return undefined;
      return {
        subnets: (found.IPAM?.Config ?? []).flatMap(({ Subnet }) => Subnet ?? []),
        device: found.Options?.['com.docker.network.bridge.name'] ?? `br-${found.Id.slice(0, 12)}`,
      };
    },
    async findNetworkMtu(name, { signal } = {}) {
      const found = await orUndefined(
        connection.request(`network ${name}`, signal, (api) => api.getNetwork(name).inspect()),
      );
      const mtu = found?.Options?.['com.docker.network.driver.mtu'];
      return mtu === undefined ? undefined : Number(mtu);
    },
  };
}
