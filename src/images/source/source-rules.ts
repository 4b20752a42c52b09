import { realpath } from 'node:fs/promises';
import { basename, isAbsolute, join, relative, resolve } from 'node:path';
import { isInside } from '../../config/folders.ts';
import { isEditorFile } from '../../lib/editor-files.ts';
import { type Ignored, type NamedPaths, parseIgnoreRules, toNamedPaths } from '../../lib/ignore-rules.ts';
import type { BuildInputs } from './build-inputs.ts';
import { type CopiedPaths, readCopiedPaths } from './copied-paths.ts';
import type { DockerfileSource } from './dockerfile-source.ts';
import { absent } from './file-list.ts';
import { type GitRules, listFolders } from './git-rules.ts';

/** Which paths below a folder are source. */
export interface Rules {
  has(path: string): boolean;
  mayBeBelow(folder: string): boolean;
  /** Whether a tool generates it. */
  isGenerated(path: string): boolean;
}

/** A live folder, or an additional context. */
export interface OtherFolder {
  readonly folder: string;
  /** Without symbolic links; undefined when it does not exist yet. */
  readonly real: string | undefined;
  /** For paths relative to `folder`. */
  readonly rules: Rules;
}

/** Where a command on this machine writes what it makes: paths and patterns relative to the source's root. */
function toOutputs({ host }: DockerfileSource): NamedPaths {
  const inSource = host?.files.filter(({ from }) => !from.startsWith('{out}') && !isAbsolute(from)) ?? [];
  return toNamedPaths(inSource.map(({ from }) => join(host?.in ?? '', from)));
}

export function toContextRules(source: DockerfileSource, copied: CopiedPaths, git: GitRules): Rules {
  const { context, host } = source;
  const outputs = toOutputs(source);
  // What tools make on this machine is no source of a build on this machine.
  const isMade = (path: string) => git.isIgnored(path) || outputs.has(path);
  return {
    has: (path) => copied.has(path) && !(host && isMade(join(context, path))),
    mayBeBelow: copied.mayBeBelow,
    isGenerated(path) {
      const toRoot = (each: string) => join(context, each);
      if (!git.isIgnored(toRoot(path))) return false;
      // A Dockerfile that names what git ignores, such as `COPY dist`, is built from what tools generate.
      return ![...listFolders(path).slice(1), path].some(
        (each) => copied.names(each) && git.isIgnored(toRoot(each)),
      );
    },
  };
}

/** In a live folder everything counts; rules that ignore the folder itself have no effect in it. */
export async function toLive(
  path: string,
  { root, context }: DockerfileSource,
  isIgnored: Ignored,
  git: GitRules,
): Promise<OtherFolder> {
  const folder = join(root, path);
  const inContext = relative(context, path);
  const isLeftOut = isInside(join('/', context), join('/', path)) && !isIgnored(inContext);
  const isGenerated = !git.isIgnored(path);
  return {
    folder,
    real: await realpath(folder).catch(absent),
    rules: {
      has: (each) =>
        !isEditorFile(basename(each)) &&
        !each.split('/').includes('.git') &&
        !(isLeftOut && isIgnored(join(inContext, each))),
      mayBeBelow: (each) => basename(each) !== '.git',
      isGenerated: (each) => isGenerated && git.isIgnored(join(path, each)),
    },
  };
}

/** The additional contexts that are folders and are used. */
export async function listContextFolders(
  { root, settings: { contexts = {} } }: DockerfileSource,
  inputs: BuildInputs,
): Promise<readonly OtherFolder[]> {
  const used = [...inputs.contexts].filter(([name]) => !/^[a-z-]+:\/\//.test(contexts[name] ?? ''));
  return Promise.all(
    used.map(async ([name, patterns]) => {
      const folder = resolve(root, contexts[name] ?? '');
      const copied = await readCopiedPaths(folder, patterns, parseIgnoreRules('', { syntax: 'docker' }));
      return {
        folder,
        real: await realpath(folder).catch(absent),
        rules: { ...copied, isGenerated: () => false },
      };
    }),
  );
}
