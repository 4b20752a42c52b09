import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import type { Environment } from '../config/schema.ts';
import { exitCodes, Failure } from '../lib/failure.ts';

/** A Dockerfile in a checkout of weAlist. */
export interface DockerfileSource {
  /** Absolute path of that checkout. */
  readonly root: string;
  /** Relative to it. */
  readonly dockerfile: string;
  /** The build context's folder, relative to it. */
  readonly context: string;
}

/**
 * The Dockerfile that a service is built from; undefined when it is built from its stand-in.
 * @throws {Failure} exit code 2 when the environment wants the Dockerfile and there is none.
 */
export async function findDockerfile(
  environment: Environment,
  name: string,
  checkout: string,
): Promise<DockerfileSource | undefined> {
  const service = environment.services[name];
  if (!service || environment.source === undefined || service.build === 'stand-in') return undefined;
  const { dockerfile, context = '.' } = service;
  const root = resolve(checkout, environment.source);
  const path = dockerfile && join(root, dockerfile);
  if (
    path &&
    (await stat(path).then(
      (found) => found.isFile(),
      () => false,
    ))
  )
    return { root, dockerfile, context };
  if (service.build === 'auto') return undefined;
  throw new Failure(`services.${name} has no Dockerfile at ${path ?? root}`, {
    hint: `set services.${name}.build to stand-in in env/local.yaml`,
    exitCode: exitCodes.usage,
  });
}

/** Never part of what a service is. */
const ignored = new Set(['.git', 'node_modules', '.gradle', 'build', 'dist']);

/**
 * The hash of a build context by its files' paths, sizes and dates. Reading them all would take longer than the build
 * that follows when one has changed, and the image's own name comes from its content anyway.
 */
export async function hashContext({ root, dockerfile, context }: DockerfileSource): Promise<string> {
  const folder = join(root, context);
  const sum = createHash('sha256').update(dockerfile);
  const walk = async (path: string): Promise<void> => {
    const entries = await readdir(path, { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (ignored.has(entry.name)) continue;
      const child = join(path, entry.name);
      if (entry.isDirectory()) await walk(child);
      else if (entry.isFile()) {
        const { size, mtimeMs } = await stat(child);
        sum.update(`${relative(folder, child)}\0${size}\0${mtimeMs}\0`);
      }
    }
  };
  await walk(folder);
  const { size, mtimeMs } = await stat(join(root, dockerfile));
  return sum.update(`${size}\0${mtimeMs}`).digest('hex');
}
