import type Dockerode from 'dockerode';
import type { AbortOptions, DockerConnection } from './connection.ts';

/** BuildKit's cache in the engine, which all builds of this engine share. */
export interface DockerBuildCache {
  /** Bytes that `pruneBuildCache` would free: what no running build uses and no image shares. */
  measureBuildCache(options?: AbortOptions): Promise<number>;
  /** Removes the least recently used parts until at most `keep` bytes are left; resolves to the bytes that this freed. */
  pruneBuildCache(keep: number, options?: AbortOptions): Promise<number>;
}

interface DiskUsage {
  readonly BuildCache?:
    | readonly { readonly Size: number; readonly InUse: boolean; readonly Shared: boolean }[]
    | null;
}

/** The library sends no options with its own method for this. */
interface Modem {
  dial(
    options: object,
    callback: (error: Error | null, data: { readonly SpaceReclaimed?: number } | null) => void,
  ): void;
}

export function createDockerBuildCache({ request, getJson }: DockerConnection): DockerBuildCache {
  return {
    async measureBuildCache({ signal } = {}) {
      // An engine older than 23 measures everything, and ignores the type.
      const path = '/system/df?type=build-cache';
      const { BuildCache } = await getJson<DiskUsage>("BuildKit's cache", signal, path);
      const free = (BuildCache ?? []).filter(({ InUse, Shared }) => !InUse && !Shared);
      return free.reduce((total, { Size }) => total + Size, 0);
    },

    async pruneBuildCache(keep, { signal } = {}) {
      const send = (api: Dockerode) =>
        new Promise<number>((resolve, reject) => {
          const { modem } = api as unknown as { readonly modem: Modem };
          const query = { path: '/build/prune?', options: { 'keep-storage': keep } };
          modem.dial({ ...query, method: 'POST', statusCodes: { 200: true } }, (error, data) => {
            if (error) reject(error);
            else resolve(data?.SpaceReclaimed ?? 0);
          });
        });
      return request("pruning BuildKit's cache", signal, send);
    },
  };
}
