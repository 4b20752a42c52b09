import { join } from 'node:path';
import type { Environment } from '../config/schema.ts';
import { bringEngineImage } from '../images/engine-image.ts';
import type { Images } from '../images/open-images.ts';
import { createServiceImages, type ServiceImages } from '../images/service-image.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { hash } from '../lib/hash.ts';
import { findBuildClient } from '../machine/build-client.ts';
import type { Host } from '../machine/host.ts';
import { buildWithDocker } from '../tools/docker-build.ts';
import type { Toolchain } from '../tools/toolchain.ts';
import type { App } from './command.ts';

export interface ServiceImagesParts {
  readonly app: Pick<App, 'paths' | 'exec'>;
  readonly host: Host;
  readonly environment: Environment;
  readonly images: Images;
  readonly toolchain: Pick<Toolchain, 'docker'>;
}

/** The services' images, with the docker client of this machine that builds Dockerfiles best. */
export function openServiceImages({
  app,
  host,
  environment,
  images,
  toolchain,
}: ServiceImagesParts): ServiceImages {
  const { docker } = toolchain;
  return createServiceImages({
    ...images,
    environment,
    checkout: app.paths.checkout,
    async buildDockerfile(name, { root, dockerfile, context }, { signal, report }) {
      const client = await findBuildClient(host, app.exec);
      if (!client) {
        throw new Failure('no docker client that builds Dockerfiles is installed', {
          hint: 'npm run doctor -- --fix',
          exitCode: exitCodes.host,
        });
      }
      // One per checkout: two that build at once must not take each other's image.
      const image = `wealist.local/${name}:source-${hash(app.paths.checkout)}`;
      const build = { context: join(root, context), dockerfile: join(root, dockerfile), image };
      await buildWithDocker(app.exec, client, build, { env: docker.env, signal, report });
      return bringEngineImage({ docker, store: images.store }, image, { signal, report });
    },
  });
}
