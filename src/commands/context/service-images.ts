import { join } from 'node:path';
import type { App } from '../../cli/command.ts';
import type { Environment } from '../../config/schema.ts';
import { createBuildQueue } from '../../images/build/build-queue.ts';
import { createServiceImages, type ServiceImages } from '../../images/build/service-image.ts';
import { toRepository } from '../../images/built-reference.ts';
import { importEngineImage } from '../../images/import/import-engine-image.ts';
import type { Images } from '../../images/open-images.ts';
import { exitCodes, Failure } from '../../lib/failure.ts';
import { hash } from '../../lib/hash.ts';
import { findBuildClient } from '../../machine/build-client.ts';
import type { Host } from '../../machine/host.ts';
import type { Run } from '../../plan/plan.ts';
import { buildWithDocker, OutOfMemoryFailure } from '../../tools/docker/build.ts';
import type { Toolchain } from '../../tools/toolchain.ts';

export interface ServiceImagesDeps {
  readonly app: Pick<App, 'paths' | 'exec'>;
  readonly host: Host;
  readonly environment: Environment;
  readonly images: Images;
  readonly toolchain: Pick<Toolchain, 'docker'>;
}

/** The services' images; Dockerfiles are built by the best docker client of this machine: buildx, else the classic one. */
export function openServiceImages({
  app,
  host,
  environment,
  images,
  toolchain,
}: ServiceImagesDeps): ServiceImages {
  const { docker } = toolchain;
  const queue = createBuildQueue({
    findCapacity: (signal) => docker.readCapacity({ signal }),
    isOutOfMemory: (error) => error instanceof OutOfMemoryFailure,
  });

  async function removeNameless(id: string, { signal, report }: Run): Promise<void> {
    try {
      const found = await docker.findImage(id, { signal });
      if (found?.tags.length === 0) await docker.removeImage(id, { signal });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Failure)) throw error;
      // Another image is built on it, or a container uses it.
      report(`the previous image is kept in the engine: ${error.message}`);
    }
  }

  return createServiceImages({
    ...images,
    environment,
    checkout: app.paths.checkout,
    async buildDockerfile(name, { root, dockerfile, context }, { signal, report }) {
      const client = await findBuildClient(host, app.exec);
      if (!client) {
        throw new Failure('no docker client that can build Dockerfiles is installed', {
          hint: 'npm run doctor -- --fix',
          exitCode: exitCodes.host,
        });
      }
      // One tag per checkout, so that two that build at once do not replace each other's image.
      const image = `${toRepository(name)}:source-${hash(app.paths.checkout)}`;
      const build = { context: join(root, context), dockerfile: join(root, dockerfile), image };
      const before = await docker.findImage(image, { signal });
      await queue(
        () =>
          docker.watch(signal, (limited) =>
            buildWithDocker(app.exec, client, build, { env: docker.env, signal: limited, report }),
          ),
        { signal, report },
      );
      const brought = await importEngineImage({ docker, store: images.store }, image, { signal, report });
      const after = await docker.findImage(image, { signal });
      // The previous image has lost its tag, and would never be removed. The build cache keeps the layers.
      if (before && before.id !== after?.id) await removeNameless(before.id, { signal, report });
      return brought;
    },
  });
}
