import { posix } from 'node:path';
import type { BuildInstruction, BuildStage, Dockerfile } from './dockerfile.ts';
import { expandVariables } from './expand-variables.ts';

/** What a build is told beside the Dockerfile. */
export interface BuildChoice {
  /** The stage to build, by name or number; the last one by default. */
  readonly target?: string | undefined;
  readonly args?: Readonly<Record<string, string>> | undefined;
  /** Names of additional contexts, which come before images of the same name. */
  readonly contexts?: readonly string[];
  /** What the image is for, and what builds it: `linux/amd64`. */
  readonly platform: string;
  readonly buildPlatform: string;
  /** Whether only what the target's own stage and those below it read counts, not what they copy from other stages. */
  readonly ownStageOnly?: boolean;
}

/** Patterns of paths that are relative to a context, `.` for all of it; undefined where they cannot be told. */
export type Patterns = readonly string[] | undefined;

/** What a build reads. */
export interface BuildInputs {
  /** Of the build context. */
  readonly context: Patterns;
  /** Of each additional context that it uses. */
  readonly contexts: ReadonlyMap<string, Patterns>;
  /** The images that it uses. */
  readonly images: readonly string[];
}

/** Values that are known in a stage. `null`: declared, without a value that can be told. */
interface Scope {
  readonly args: Map<string, string | null>;
  readonly env: Map<string, string | null>;
  /** Whether an image below may set more variables. */
  readonly isOpen: boolean;
}

/**
 * What the build of a target reads, over all stages that it needs. Where a name cannot be told, as it may when it is set
 * in a base image, the whole context counts.
 */
export function findBuildInputs({ args, stages }: Dockerfile, choice: BuildChoice): BuildInputs {
  const given = new Map(Object.entries(choice.args ?? {}));
  const automatic = toAutomaticArgs(choice);
  const global: Scope = { args: new Map(), env: new Map(), isOpen: false };
  for (const instruction of args) declare(instruction, global);

  const read: { context: string[] | undefined; contexts: Map<string, string[] | undefined> } = {
    context: [],
    contexts: new Map(),
  };
  const images = new Set<string>();
  const scopes = new Map<BuildStage, Scope>();

  const target = findTarget(stages, choice.target);
  if (target) visit(target);
  // What is not understood may read anything.
  else read.context = undefined;
  return { context: read.context, contexts: read.contexts, images: [...images] };

  /** Counts what a stage reads, once, after the stages that it stands on. */
  function visit(stage: BuildStage): Scope {
    const known = scopes.get(stage);
    if (known) return known;
    const base =
      expandVariables(stage.base, (name) => automatic.get(name) ?? find(name, global)) || undefined;
    const below = base === undefined ? undefined : stageBefore(stage, base);
    if (base === undefined) read.context = undefined;
    const parent = below && visit(below);
    if (!below && base !== undefined && base !== 'scratch') use(base, '.');
    const scope: Scope = {
      args: new Map(parent?.args),
      env: new Map(parent?.env),
      isOpen: parent?.isOpen ?? base !== 'scratch',
    };
    scopes.set(stage, scope);
    for (const instruction of stage.instructions) {
      if (instruction.kind === 'read') count(instruction, stage, scope);
      else declare(instruction, scope);
    }
    return scope;
  }

  function count(
    { from, sources }: Extract<BuildInstruction, { kind: 'read' }>,
    stage: BuildStage,
    scope: Scope,
  ): void {
    const expand = (word: string) => expandVariables(word, (name) => find(name, scope));
    const place = from === undefined ? undefined : expand(from);
    if (from !== undefined) {
      if (choice.ownStageOnly && place !== undefined && stageBefore(stage, place)) return;
      if (place === undefined) read.context = undefined;
      else {
        const other = stageBefore(stage, place);
        if (other) visit(other);
        else for (const source of sources ?? ['.']) use(place, expand(source));
      }
      return;
    }
    if (sources === undefined) read.context = undefined;
    for (const source of sources ?? []) read.context = add(read.context, expand(source));
  }

  /** An additional context or an image is read. */
  function use(name: string, source: string | undefined): void {
    if (!choice.contexts?.includes(name)) {
      images.add(name);
      return;
    }
    const known = read.contexts.has(name) ? read.contexts.get(name) : [];
    read.contexts.set(name, add(known, source));
  }

  /** A stage of an earlier FROM, by its name or number. */
  function stageBefore(stage: BuildStage, name: string): BuildStage | undefined {
    if (choice.contexts?.includes(name)) return undefined;
    const earlier = stages.slice(0, stages.indexOf(stage));
    return earlier.findLast((each) => each.name === name.toLowerCase()) ?? byNumber(earlier, name);
  }

  function declare(instruction: BuildInstruction, scope: Scope): void {
    if (instruction.kind === 'read') return;
    const { kind, name, value } = instruction;
    // Without a value it is empty, unless a base image sets it.
    const unset = () => global.args.get(name) ?? automatic.get(name) ?? (scope.isOpen ? undefined : '');
    const set = value === undefined ? unset() : expandVariables(value, (each) => find(each, scope));
    if (kind === 'env') scope.env.set(name, set ?? null);
    else scope.args.set(name, given.get(name) ?? set ?? null);
  }

  function find(name: string, { args, env, isOpen }: Scope): string | undefined {
    if (env.has(name)) return env.get(name) ?? undefined;
    if (args.has(name)) return args.get(name) ?? undefined;
    return isOpen ? undefined : '';
  }
}

/** Adds a source of a context; a path outside of it is taken from its root, as Docker does. */
function add(patterns: string[] | undefined, source: string | undefined): string[] | undefined {
  if (patterns === undefined || source === undefined) return undefined;
  if (/^(https?|git|ssh):\/\/|^git@/.test(source)) return patterns;
  const path = posix.join('/', source).slice(1).replace(/\/$/, '') || '.';
  return patterns.includes(path) ? patterns : [...patterns, path];
}

function findTarget(stages: readonly BuildStage[], name: string | undefined): BuildStage | undefined {
  if (name === undefined) return stages.at(-1);
  return stages.findLast((each) => each.name === name.toLowerCase()) ?? byNumber(stages, name);
}

function byNumber(stages: readonly BuildStage[], name: string): BuildStage | undefined {
  return /^\d+$/.test(name) ? stages[Number(name)] : undefined;
}

/** The arguments that BuildKit sets by itself, in FROM and where a stage declares them. */
function toAutomaticArgs({ platform, buildPlatform, target }: BuildChoice): ReadonlyMap<string, string> {
  const list = (prefix: string, text: string): readonly (readonly [string, string])[] => {
    const [os = '', architecture = '', variant = ''] = text.split('/');
    return [
      [`${prefix}PLATFORM`, text],
      [`${prefix}OS`, os],
      [`${prefix}ARCH`, architecture],
      [`${prefix}VARIANT`, variant],
    ];
  };
  return new Map([
    ...list('TARGET', platform),
    ...list('BUILD', buildPlatform),
    ['TARGETSTAGE', target ?? 'default'],
  ]);
}
