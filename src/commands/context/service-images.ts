import type { App } from '../../cli/command.ts';
import type { Environment } from '../../config/schema.ts';
import { createBuildQueue } from '../../images/build/build-queue.ts';
import { createEngineBuild } from '../../images/build/engine-build.ts';
import { createHostBuild } from '../../images/build/host-build.ts';
import { createServiceImages, type ServiceImages } from '../../images/build/service-image.ts';
import { toRepository } from '../../images/built-reference.ts';
import { canPull } from '../../images/can-pull.ts';
import { importEngineImage } from '../../images/import/import-engine-image.ts';
import type { Images } from '../../images/open-images.ts';
import type { DockerfileSource } from '../../images/source/dockerfile-source.ts';
import type { OwnBase } from '../../images/source/with-bases.ts';
import { toBytes } from '../../lib/bytes.ts';
import { Failure } from '../../lib/failure.ts';
import { hash } from '../../lib/hash.ts';
import type { Image } from '../../lib/oci.ts';
import { parseQuantity } from '../../lib/quantity.ts';
import { findBuildClient } from '../../machine/build-client.ts';
import type { Host } from '../../machine/host.ts';
import type { Run } from '../../plan/plan.ts';
import { OutOfMemoryFailure } from '../../tools/docker/build.ts';
import type { Toolchain } from '../../tools/toolchain.ts';

export interface ServiceImagesDeps {
  readonly app: Pick<App, 'paths' | 'exec'>;
  readonly host: Host;
  readonly environment: Environment;
  readonly images: Images;
  readonly toolchain: Pick<Toolchain, 'docker'>;
  /** Whether images are built although there is one of the current source, without the builder's cache. */
  readonly rebuild?: boolean;
}

/** The services' images; Dockerfiles are built by the best docker client of this machine: buildx, else the classic one. */
export function openServiceImages({
  app,
  host,
  environment,
  images,
  toolchain,
  rebuild = false,
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

  /** The cache grows with each build, and an engine before Docker 23 removes nothing by itself. */
  async function boundBuildCache({ signal, report }: Run): Promise<void> {
    try {
      const freed = await docker.pruneBuildCache(parseQuantity(environment.buildCache), { signal });
      if (freed > 0) report(`removed ${toBytes(freed)} from BuildKit's cache`);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Failure)) throw error;
      report(`BuildKit's cache is not bounded: ${error.message}`);
    }
  }

  const engine = createEngineBuild({
    ...{ exec: app.exec, docker, queue, noCache: rebuild },
    findClient: () => findBuildClient(host, app.exec, docker.env),
    canPull: (registry, signal) => canPull(registry, environment, { signal }),
  });

  const hostBuild = createHostBuild({ ...images, exec: app.exec, findImageId, rebuild });

  return createServiceImages({
    ...images,
    ...{ environment, rebuild, checkout: app.paths.checkout },
    findImageId,
    buildDockerfile(name, source, bases, run) {
      const buildDockerfile = () => buildInEngine(name, source, bases, run);
      const { host: command } = source;
      return command
        ? hostBuild.build({ name, source, host: command, bases, buildDockerfile }, run)
        : buildDockerfile();
    },
  });

  async function buildInEngine(
    name: string,
    source: DockerfileSource,
    bases: readonly OwnBase[],
    { signal, report }: Run,
  ): Promise<Image> {
    await engine.ensureBases(bases, { signal, report });
    // One tag per checkout, so that two that build at once do not replace each other's image.
    const image = `${toRepository(name)}:source-${hash(app.paths.checkout)}`;
    const before = await docker.findImage(image, { signal });
    await engine.build(image, source, { signal, report });
    const [brought] = await Promise.all([
      importEngineImage({ docker, store: images.store }, image, { signal, report }),
      boundBuildCache({ signal, report }),
    ]);
    const after = await docker.findImage(image, { signal });
    // The previous image has lost its tag, and would never be removed. The build cache keeps the layers.
    if (before && before.id !== after?.id) await removeNameless(before.id, { signal, report });
    return brought;
  }

  async function findImageId(reference: string): Promise<string | undefined> {
    const found = await docker.findImage(reference).catch((error) => {
      // Without an engine there is no image; a build then says so.
      if (error instanceof Failure) return undefined;
      throw error;
    });
    return found?.id;
  }
}
