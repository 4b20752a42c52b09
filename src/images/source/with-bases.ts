import { hashContent } from '../../lib/hash.ts';
import type { DockerfileSource } from './dockerfile-source.ts';
import type { ContextState } from './read-context.ts';
import type { SourceState } from './source-state.ts';

/** A base image of a Dockerfile that another Dockerfile of the same source builds. */
export interface OwnBase {
  /** The name that FROM gives it. */
  readonly reference: string;
  readonly source: DockerfileSource;
  readonly state: DockerfileState;
}

/** The source of a Dockerfile with that of its base images. */
export interface DockerfileState extends SourceState, Pick<ContextState, 'folders'> {
  /** The hash of what the Dockerfile reads itself. */
  readonly own: string;
  /** Base image → its ID, or the hash of its source if it is built here. One that the engine lacks is left out. */
  readonly images: ReadonlyMap<string, string>;
  /** Those built here, in the order in which they can be built. */
  readonly bases: readonly OwnBase[];
}

export interface BasesDeps {
  read(source: DockerfileSource): Promise<ContextState>;
  /** The Dockerfile here that builds an image. */
  findDockerfile(reference: string): Promise<DockerfileSource | undefined>;
  /** The ID of an image that the engine has. */
  findImageId(reference: string): Promise<string | undefined>;
}

/** Reads the source of a Dockerfile and of the base images that are built here, each once. */
export async function readWithBases(
  source: DockerfileSource,
  { read, findDockerfile, findImageId }: BasesDeps,
): Promise<DockerfileState> {
  return visit(source, []);

  async function visit(of: DockerfileSource, above: readonly string[]): Promise<DockerfileState> {
    const context = await read(of);
    const found = await Promise.all(
      context.inputs.images.map((reference) => visitBase(reference, of, above)),
    );
    const own = found.flatMap(({ base }) => base ?? []);
    const images = new Map(
      found.flatMap(({ reference, id }) => (id === undefined ? [] : [[reference, id] as const])),
    );
    const bases = [...own.flatMap(({ state }) => state.bases), ...own];
    return {
      own: context.hash,
      images,
      hash: combine(context.hash, images),
      files: new Map([...own.flatMap(({ state }) => [...state.files]), ...context.files]),
      generated: new Set([...own.flatMap(({ state }) => [...state.generated]), ...context.generated]),
      folders: [...context.folders, ...own.flatMap(({ state }) => state.folders)],
      bases: bases.filter((base, at) => bases.findIndex((each) => each.reference === base.reference) === at),
    };
  }

  async function visitBase(reference: string, of: DockerfileSource, above: readonly string[]) {
    const dockerfile = await findDockerfile(reference);
    // A base that is built from an image of its own name is built from the one of the engine or a registry.
    const path = dockerfile?.dockerfile ?? '';
    if (!dockerfile || path === of.dockerfile || above.includes(path)) {
      return { reference, id: await findImageId(reference), base: undefined };
    }
    const state = await visit(dockerfile, [...above, of.dockerfile]);
    return { reference, id: state.hash, base: { reference, source: dockerfile, state } };
  }
}

function combine(own: string, images: ReadonlyMap<string, string>): string {
  const sorted = [...images].sort(([a], [b]) => (a < b ? -1 : 1));
  return hashContent(JSON.stringify([own, sorted]));
}

/**
 * The state that an image was built from, given those before and after the build; undefined when a base image was
 * replaced meanwhile. One that the build itself brought into the engine belongs to it.
 */
export function toBuiltState<T extends SourceState>(before: T, after: T): T | undefined {
  if (!isDockerfileState(before) || !isDockerfileState(after)) return before;
  if ([...before.images].some(([reference, id]) => after.images.get(reference) !== id)) return undefined;
  const { images } = after;
  return { ...before, images, hash: combine(before.own, images) };
}

/** Whether it is the source of a Dockerfile, and not of a stand-in. */
export function isDockerfileState(state: SourceState): state is DockerfileState {
  return 'images' in state;
}

/** Whether two states have the same base images. */
export function hasSameBases(one: SourceState, other: SourceState): boolean {
  if (!isDockerfileState(one) || !isDockerfileState(other)) return true;
  const [a, b] = [one.images, other.images];
  return a.size === b.size && [...a].every(([reference, id]) => b.get(reference) === id);
}
