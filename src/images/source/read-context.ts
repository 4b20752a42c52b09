import { createHash } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { readdir, readFile, readlink, realpath, stat } from 'node:fs/promises';
import { basename, isAbsolute, join, relative, resolve } from 'node:path';
import { isInside } from '../../config/folders.ts';
import { isEditorFile } from '../../lib/editor-files.ts';
import { exitCodes, Failure } from '../../lib/failure.ts';
import { hashContent } from '../../lib/hash.ts';
import { type Ignored, type NamedPaths, parseIgnoreRules, toNamedPaths } from '../../lib/ignore-rules.ts';
import { type BuildInputs, findBuildInputs } from './build-inputs.ts';
import { readCopiedPaths } from './copied-paths.ts';
import { parseDockerfile } from './dockerfile.ts';
import type { DockerfileSource } from './dockerfile-source.ts';
import { type GitRules, listFolders, openGitRules } from './git-rules.ts';
import { listIgnoreFiles, readIgnoreFile } from './ignore-file.ts';
import type { SourceFolder } from './source-files.ts';
import type { SourceState } from './source-state.ts';

/** The source of a Dockerfile service. */
export interface ContextState extends SourceState {
  /** Where its files are, for a watch. */
  readonly folders: readonly SourceFolder[];
  readonly inputs: BuildInputs;
}

export interface ReadContextOptions {
  readonly architecture: string;
  /** Whether what the target copies from other stages does not count, nor the command that builds on this machine. */
  readonly ownStageOnly?: boolean;
}

/** Which paths below a folder are source. */
interface Rules {
  has(path: string): boolean;
  mayBeBelow(folder: string): boolean;
  /** Whether a tool generates it. */
  isGenerated(path: string): boolean;
}

/**
 * Reads the source of a Dockerfile service: the Dockerfile, its ignore file, what the build copies from the context, and
 * the live folders. The hash is over paths, modes, sizes, dates, and targets of links: hashing the contents would take
 * longer than a build, and the image is named by its content anyway.
 * @throws {Failure} exit code 7 when the context or the Dockerfile cannot be read.
 */
export async function readContext(
  source: DockerfileSource,
  { architecture, ownStageOnly = false }: ReadContextOptions,
): Promise<ContextState> {
  const { root, dockerfile, context } = source;
  const folder = join(root, context);
  const dockerfilePath = join(root, dockerfile);
  const text = await readFile(dockerfilePath, 'utf8').catch(refuse(dockerfilePath));
  const inputs = toInputs(text, source, { architecture, ownStageOnly });

  const ignoreFile = await readIgnoreFile(source);
  const found = createFileList(root);
  found.add(dockerfilePath, hashContent(text));
  // Without the secrets, whose change is no change of the source.
  const { secrets: _, ...settings } = source.settings;
  found.addSetting(JSON.stringify(settings));
  if (source.host && !ownStageOnly) found.addSetting(JSON.stringify(source.host));
  if (ignoreFile) found.add(ignoreFile.path, hashContent(ignoreFile.text));

  const git = await openGitRules(root);
  for (const path of listFolders(join(context, 'x')).slice(1)) await git.read(path);
  const isIgnored = parseIgnoreRules(ignoreFile?.text ?? '', { syntax: 'docker' });
  const live = await Promise.all(source.live.map((path) => toLive(path, source, isIgnored, git)));
  const copied = await readCopiedPaths(folder, inputs.context, isIgnored);
  const ofContext = toContextRules(source, copied, git);
  const skipped: string[] = [];
  await readdir(folder).catch(refuse(folder));
  await walk(folder, ofContext, { found, git, root, skipped });
  const others = [...live, ...(await listContextFolders(source, inputs))];
  for (const each of others) {
    if (each.real !== undefined) await walk(each.folder, each.rules, { found, git, root });
  }

  const real = await realpath(folder).catch(refuse(folder));
  const folders = toFolders({
    folder,
    real,
    skipped,
    others,
    ofContext,
    special: [dockerfilePath, ...listIgnoreFiles(source)],
  });
  return { ...found.finish(), folders, inputs };
}

function toInputs(
  text: string,
  { settings }: DockerfileSource,
  { architecture, ownStageOnly = false }: ReadContextOptions,
): BuildInputs {
  const { target, args, contexts = {}, platform } = settings;
  const parsed = parseDockerfile(text);
  const buildPlatform = `linux/${architecture}`;
  const found = findBuildInputs(parsed, {
    ...{ target, args, buildPlatform, platform: platform ?? buildPlatform },
    contexts: Object.keys(contexts),
    ownStageOnly,
  });
  const named = [...found.contexts.keys()].map((name) => toImageName(contexts[name] ?? ''));
  const inputs = { ...found, images: [...found.images, ...named.filter((name) => name !== undefined)] };
  // Another front end may read a file of any form.
  const isDockerfile = /(^|\/)dockerfile(-upstream)?(:|@|$)/.test(parsed.syntax?.image ?? 'dockerfile');
  return isDockerfile ? inputs : { ...inputs, context: undefined };
}

/** The image of an additional context `docker-image://<image>`. */
function toImageName(context: string): string | undefined {
  return /^docker-image:\/\/(.+)$/.exec(context)?.[1];
}

/** The additional contexts that are folders and are used. */
async function listContextFolders(
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

/** Where a command on this machine writes what it makes: paths and patterns relative to the source's root. */
function toOutputs({ host }: DockerfileSource): NamedPaths {
  const inSource = host?.files.filter(({ from }) => !from.startsWith('{out}') && !isAbsolute(from)) ?? [];
  return toNamedPaths(inSource.map(({ from }) => join(host?.in ?? '', from)));
}

function toContextRules(
  source: DockerfileSource,
  copied: Awaited<ReturnType<typeof readCopiedPaths>>,
  git: GitRules,
): Rules {
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

/** A live folder, or an additional context. */
interface OtherFolder {
  readonly folder: string;
  /** Without symbolic links; undefined when it does not exist yet. */
  readonly real: string | undefined;
  /** For paths relative to `folder`. */
  readonly rules: Rules;
}

/** In a live folder everything counts; rules that ignore the folder itself have no effect in it. */
async function toLive(
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

interface Walk {
  readonly found: FileList;
  readonly root: string;
  /** Reads the rules of each folder on the way. */
  readonly git?: GitRules;
  /** Receives the folders that are left out. */
  readonly skipped?: string[];
}

async function walk(folder: string, rules: Rules, { found, git, root, skipped }: Walk): Promise<void> {
  /** Whether it is empty or has source. */
  const visit = async (path: string): Promise<boolean> => {
    // A folder may be removed, or be replaced by a file, during the walk.
    const entries = await readdir(join(folder, path), { withFileTypes: true }).catch(absent);
    if (git && entries?.some(({ name }) => name === '.gitignore')) {
      await git.read(relative(root, join(folder, path)));
    }
    const counted = await Promise.all((entries ?? []).map((entry) => visitEntry(path, entry)));
    return counted.length === 0 || counted.includes(true);
  };
  const visitEntry = async (path: string, entry: Dirent): Promise<boolean> => {
    const child = join(path, entry.name);
    const absolute = join(folder, child);
    let counts = rules.has(child);
    if (entry.isDirectory()) {
      if (rules.mayBeBelow(child)) counts = (await visit(child)) && counts;
      else skipped?.push(absolute);
    }
    const text = counts ? await describe(absolute, entry).catch(absent) : undefined;
    if (text === undefined) return false;
    if (entry.isDirectory()) found.addFolder(absolute, text);
    else found.add(absolute, text, rules.isGenerated(child));
    return true;
  };
  await visit('');
}

/** Describes a path by what an image has of it, so without owner and group; undefined for sockets and the like. */
async function describe(path: string, entry: Dirent): Promise<string | undefined> {
  if (entry.isSymbolicLink()) return readlink(path);
  const { size, mtimeMs, mode } = await stat(path);
  const bits = (mode & 0o7777).toString(8);
  if (entry.isDirectory()) return bits;
  // A change of mode does not change the date.
  return entry.isFile() ? `${size}\0${mtimeMs}\0${bits}` : undefined;
}

type FileList = ReturnType<typeof createFileList>;

function createFileList(root: string) {
  const files = new Map<string, string>();
  const folders = new Map<string, string>();
  const generated = new Set<string>();
  const settings: string[] = [];
  return {
    addSetting: (text: string) => void settings.push(text),
    add(path: string, text: string, isGenerated = false): void {
      if (isGenerated && !files.has(path)) generated.add(path);
      if (!isGenerated) generated.delete(path);
      files.set(path, text);
    },
    /** A folder is in the hash by its mode, but a new one is no save. */
    addFolder: (path: string, text: string) => void folders.set(path, text),
    finish(): SourceState {
      const all = [...files, ...[...folders].map(([path, text]) => [`${path}/`, text] as const)];
      const sum = createHash('sha256').update(JSON.stringify(settings));
      // Sorted by code unit, not by locale.
      for (const [path, text] of all.sort(([a], [b]) => (a < b ? -1 : 1))) {
        sum.update(`${relative(root, path)}\0${text}\0`);
      }
      return { hash: sum.digest('hex'), files, generated };
    },
  };
}

function toFolders({
  folder,
  real,
  skipped,
  others,
  ofContext,
  special,
}: {
  readonly folder: string;
  readonly real: string;
  readonly skipped: readonly string[];
  readonly others: readonly OtherFolder[];
  readonly ofContext: Rules;
  /** Files of the context that count although nothing copies them. */
  readonly special: readonly string[];
}): readonly SourceFolder[] {
  const inContext = others.filter((each) => isInside(folder, each.folder));
  const isSave = ({ has, isGenerated }: Rules, path: string) => has(path) && !isGenerated(path);
  const isLive = (path: string) =>
    inContext.some((each) => {
      const place = relative(folder, each.folder);
      return isInside(join('/', place), join('/', path)) && isSave(each.rules, relative(place, path));
    });
  const isAbove = (path: string, { folder: place }: OtherFolder) =>
    isInside(path, place) || isInside(place, path);
  const own: SourceFolder = {
    folder: real,
    isSource: (path) => special.includes(join(folder, path)) || isLive(path) || isSave(ofContext, path),
    skipped: [
      ...(ofContext.mayBeBelow('.git') ? [] : ['**/.git/**']),
      ...skipped
        // A name such as `[id]` would be read as a pattern.
        .filter((path) => !/[*?[\]{}()!]/.test(path) && !inContext.some((each) => isAbove(path, each)))
        .map((path) => join(real, relative(folder, path))),
    ],
  };
  const elsewhere = others.filter((each) => each.real !== undefined && !isInside(real, each.real));
  return [
    own,
    ...elsewhere.map(({ real: place = '', rules }) => ({
      folder: place,
      isSource: (path: string) => isSave(rules, path),
      skipped: ['**/.git/**'],
    })),
  ];
}

/** Turns ENOENT into undefined, since a file may be removed during the walk; any other error is thrown. */
function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
}

function refuse(path: string): (cause: unknown) => never {
  return (cause) => {
    throw new Failure(`${path} cannot be read`, { cause, exitCode: exitCodes.image });
  };
}
