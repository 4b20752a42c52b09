import { readdir, readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { exitCodes, Failure } from '../../lib/failure.ts';
import { hashContent } from '../../lib/hash.ts';
import { parseIgnoreRules } from '../../lib/ignore-rules.ts';
import { type BuildInputs, findBuildInputs } from './build-inputs.ts';
import { readCopiedPaths } from './copied-paths.ts';
import { isDockerfileFrontEnd, parseDockerfile } from './dockerfile.ts';
import type { DockerfileSource } from './dockerfile-source.ts';
import { createFileList, walk } from './file-list.ts';
import { listFolders, openGitRules } from './git-rules.ts';
import { listIgnoreFiles, readIgnoreFile } from './ignore-file.ts';
import type { SourceFolder } from './source-files.ts';
import { listContextFolders, toContextRules, toLive } from './source-rules.ts';
import type { SourceState } from './source-state.ts';
import { toWatchedFolders } from './watched-folders.ts';

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
  const folders = toWatchedFolders({
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
  const isDockerfile = !parsed.syntax || isDockerfileFrontEnd(parsed.syntax.image);
  return isDockerfile ? inputs : { ...inputs, context: undefined };
}

/** The image of an additional context `docker-image://<image>`. */
function toImageName(context: string): string | undefined {
  return /^docker-image:\/\/(.+)$/.exec(context)?.[1];
}

function refuse(path: string): (cause: unknown) => never {
  return (cause) => {
    throw new Failure(`${path} cannot be read`, { cause, exitCode: exitCodes.image });
  };
}
