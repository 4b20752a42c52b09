import { realpath, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type BuildSettings, toBuildSettings } from '../../config/build-settings.ts';
import type { HostBuild } from '../../config/host-build.ts';
import type { Environment } from '../../config/schema.ts';
import { exitCodes, Failure } from '../../lib/failure.ts';
import { findLiveFolders } from '../build/volumes.ts';

/** A Dockerfile in a checkout of weAlist. */
export interface DockerfileSource {
  /** Absolute path of that checkout, without symbolic links. */
  readonly root: string;
  /** Path relative to `root`. */
  readonly dockerfile: string;
  /** Folder of the build context, relative to `root`. */
  readonly context: string;
  /** Folders whose files are copied into running containers, relative to `root`. */
  readonly live: readonly string[];
  readonly settings: BuildSettings;
  /** The command that builds it on this machine, over the last stage of the Dockerfile. */
  readonly host?: HostBuild | undefined;
}

/**
 * The Dockerfile that a service is built from; undefined when it is built from its stand-in.
 * @throws {Failure} exit code 2 when the environment requires a Dockerfile that does not exist.
 */
export async function findDockerfile(
  environment: Environment,
  name: string,
  checkout: string,
): Promise<DockerfileSource | undefined> {
  const service = environment.services[name];
  if (!service || environment.source === undefined || service.build === 'stand-in') return undefined;
  const { dockerfile, context = '.' } = service;
  const folder = resolve(checkout, environment.source);
  if (dockerfile !== undefined && (await isFile(join(folder, dockerfile)))) {
    const live = findLiveFolders(environment, name, { isStandIn: false }).map(({ from }) => from);
    // File events and links inside the source are compared with paths below it, so the path must be a real one.
    const settings = toBuildSettings(service);
    const host = service.build === 'host' ? service.host : undefined;
    return { root: await realpath(folder), dockerfile, context, live, settings, ...(host ? { host } : {}) };
  }
  if (service.build === 'auto') return undefined;
  const path = dockerfile === undefined ? folder : join(folder, dockerfile);
  throw new Failure(`services.${name} has no Dockerfile at ${path}`, {
    hint: `set services.${name}.build to stand-in in env/local.yaml`,
    exitCode: exitCodes.usage,
  });
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

/**
 * The services of the environment that are built from their Dockerfiles.
 * @throws {Failure} as `findDockerfile`.
 */
export async function listFromSource(
  environment: Environment,
  checkout: string,
): Promise<ReadonlySet<string>> {
  const names = Object.keys(environment.services);
  const found = await Promise.all(names.map((name) => findDockerfile(environment, name, checkout)));
  return new Set(names.filter((_, at) => found[at] !== undefined));
}

/** Where base images have their Dockerfiles by convention. */
const baseFolder = 'docker/base';

/**
 * The Dockerfile in the source that builds a base image; undefined when it is not built here. The environment names it,
 * or it is docker/base/<last part of the name>/Dockerfile.
 */
export async function findBaseDockerfile(
  { bases = {} }: Pick<Environment, 'bases'>,
  root: string,
  reference: string,
): Promise<DockerfileSource | undefined> {
  const base = Object.hasOwn(bases, reference) ? bases[reference] : undefined;
  if (base) {
    const { dockerfile, context = dirname(dockerfile) } = base;
    return { root, dockerfile, context, live: [], settings: toBuildSettings(base) };
  }
  const name = /([^/:@]+)(:[^/@]*)?(@.*)?$/.exec(reference)?.[1] ?? '';
  const context = join(baseFolder, name);
  const dockerfile = join(context, 'Dockerfile');
  if (!(await isFile(join(root, dockerfile)))) return undefined;
  return { root, dockerfile, context, live: [], settings: {} };
}
