import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { unfinishedPrefix } from '../../tools/docker/cli.ts';
import type { NewContainer } from '../../tools/docker/containers.ts';
import type { Docker } from '../../tools/docker/docker.ts';
import type { Store } from '../store/store.ts';

export interface EngineImageDeps {
  readonly docker: Pick<
    Docker,
    | 'findImage'
    | 'listHistory'
    | 'saveImages'
    | 'createContainer'
    | 'readArchive'
    | 'removeContainer'
    | 'readRoot'
  >;
  readonly store: Store;
}

/**
 * Runs `work` with a function that reads the tar of a file or folder through a container of the image, which has folders of
 * the engine's machine and is never started.
 */
export async function withReader<T>(
  docker: Pick<Docker, 'createContainer' | 'readArchive' | 'removeContainer'>,
  { image, folders }: Required<Pick<NewContainer, 'image' | 'folders'>>,
  signal: AbortSignal,
  work: (read: (path: string) => Promise<Readable>) => Promise<T>,
): Promise<T> {
  const name = `${unfinishedPrefix}${process.pid}-${randomUUID()}`;
  const container = await docker.createContainer({ name, image, command: ['none'], folders }, { signal });
  try {
    return await work((path) => docker.readArchive(container, path, { signal }));
  } finally {
    // Also when aborted: otherwise the container would stay in the engine.
    await docker.removeContainer(container);
  }
}
