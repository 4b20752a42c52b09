import { createHash } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Environment } from '../../config/schema.ts';
import { exitCodes, Failure } from '../../lib/failure.ts';
import { type Ignored, parseIgnoreRules } from '../../lib/ignore-rules.ts';
import type { SourceState } from './source-state.ts';

/** A Dockerfile in a checkout of weAlist. */
export interface DockerfileSource {
  /** Absolute path of that checkout. */
  readonly root: string;
  /** Path relative to `root`. */
  readonly dockerfile: string;
  /** Folder of the build context, relative to `root`. */
  readonly context: string;
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

/** Never part of a service's source. */
const alwaysIgnored = new Set(['.git', 'node_modules', '.gradle', 'build', 'dist']);

/** Which paths of the context are not source: those that the builder ignores, and folders that never are source. */
export async function readIgnored({ root, dockerfile, context }: DockerfileSource): Promise<Ignored> {
  const own = await readRules(join(root, `${dockerfile}.dockerignore`));
  const rules = own ?? (await readRules(join(root, context, '.dockerignore'))) ?? '';
  const isIgnored = parseIgnoreRules(rules, { syntax: 'docker' });
  return (path) => path.split('/').some((part) => alwaysIgnored.has(part)) || isIgnored(path);
}

/** What git ignores: generated files, whose changes are no saves. They still count in the source hash. */
export async function readGitIgnored({ root, context }: DockerfileSource): Promise<Ignored> {
  const rules = await readRules(join(root, context, '.gitignore'));
  return parseIgnoreRules(rules ?? '', { syntax: 'git' });
}

async function readRules(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(absent);
}

/** Describes a file or link by what an image would contain of it, so without owner and group. */
async function describe(path: string, entry: Dirent): Promise<string> {
  if (entry.isSymbolicLink()) return readlink(path);
  const { size, mtimeMs, mode } = await stat(path);
  // A change of mode does not change the date.
  return `${size}\0${mtimeMs}\0${mode & 0o111}`;
}

/** Turns ENOENT into undefined, since a file may be removed during the walk; any other error is thrown. */
function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
}

function toUnreadable(path: string, cause: unknown): Failure {
  return new Failure(`${path} cannot be read`, { cause, exitCode: exitCodes.image });
}

/**
 * The source hash of a build context: over its files' paths, sizes, dates and executable bits, and its links' targets.
 * Hashing the contents would take longer than a build, and the image is named by its content anyway.
 * @throws {Failure} exit code 7 when the folder or the Dockerfile cannot be read.
 */
export async function readContext(source: DockerfileSource): Promise<SourceState> {
  const { root, dockerfile, context } = source;
  const folder = join(root, context);
  const isIgnored = await readIgnored(source);
  const sum = createHash('sha256').update(dockerfile);
  const files = new Map<string, string>();
  const walk = async (path: string): Promise<void> => {
    const entries = await readdir(join(folder, path), { withFileTypes: true }).catch((cause) => {
      if (path === '') throw toUnreadable(folder, cause);
      return absent(cause);
    });
    for (const entry of (entries ?? []).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const child = join(path, entry.name);
      // A rule such as `!folder/file` may include a file of an ignored folder, so only `alwaysIgnored` ones are skipped.
      if (entry.isDirectory() && !alwaysIgnored.has(entry.name)) await walk(child);
      else if ((entry.isFile() || entry.isSymbolicLink()) && !isIgnored(child)) {
        const absolute = join(folder, child);
        const found = await describe(absolute, entry).catch(absent);
        if (found === undefined) continue;
        sum.update(`${child}\0${found}\0`);
        files.set(absolute, found);
      }
    }
  };
  await walk('');
  const path = join(root, dockerfile);
  const { size, mtimeMs } = await stat(path).catch((cause) => Promise.reject(toUnreadable(path, cause)));
  const found = `${size}\0${mtimeMs}`;
  files.set(path, found);
  return { hash: sum.update(found).digest('hex'), files };
}
