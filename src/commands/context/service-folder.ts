import { basename, dirname, join, resolve } from 'node:path';
import type { App } from '../../cli/command.ts';
import type { LocalEnvironment } from '../../config/schema.ts';
import { findDockerfile } from '../../images/source/dockerfile-source.ts';

/** The folder of a service's source. */
export async function findServiceFolder(
  { paths }: Pick<App, 'paths'>,
  environment: LocalEnvironment,
  service: string,
): Promise<string> {
  const source = await findDockerfile(environment, service, paths.checkout);
  if (!source) return resolve(paths.checkout, environment.services[service]?.standIn ?? '.');
  const folder = join(source.root, dirname(source.dockerfile));
  // weAlist keeps most Dockerfiles in a folder `docker` of the service.
  return basename(folder) === 'docker' ? dirname(folder) : folder;
}
