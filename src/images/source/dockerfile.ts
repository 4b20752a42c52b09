import { DockerfileParser, type Flag, type Instruction } from 'dockerfile-ast';

/** An instruction of a Dockerfile, as far as it decides which files a build reads. Nothing in it is expanded. */
export type BuildInstruction =
  /** A value is undefined where none is given. */
  | { readonly kind: 'arg' | 'env'; readonly name: string; readonly value: string | undefined }
  /** Reads `sources` from another stage, image or context, or from the build context. Undefined: unknown. */
  | {
      readonly kind: 'read';
      readonly from: string | undefined;
      readonly sources: readonly string[] | undefined;
    };

export interface BuildStage {
  /** Lower case; undefined when it has none. */
  readonly name: string | undefined;
  /** What FROM names: an image or a stage. */
  readonly base: string;
  readonly instructions: readonly BuildInstruction[];
}

export interface Dockerfile {
  /** The front end that `# syntax=` names, and its line, the first being 1. */
  readonly syntax: { readonly image: string; readonly line: number } | undefined;
  /** ARG before the first FROM. */
  readonly args: readonly BuildInstruction[];
  readonly stages: readonly BuildStage[];
}

/** Whether a front end reads Dockerfiles: Docker's own, also from a mirror. Others may read files of any form. */
export function isDockerfileFrontEnd(image: string): boolean {
  return /(^|\/)dockerfile(-upstream)?(:|@|$)/.test(image);
}

/** Reads the text of a Dockerfile. What is not one has no stages; a build says why. */
export function parseDockerfile(text: string): Dockerfile {
  const parsed = DockerfileParser.parse(text);
  const directive = parsed.getDirectives().find((each) => each.getName()?.toLowerCase() === 'syntax');
  const args: BuildInstruction[] = [];
  const stages: { name: string | undefined; base: string; instructions: BuildInstruction[] }[] = [];
  for (const instruction of parsed.getInstructions()) {
    if (instruction.getKeyword() === 'FROM') {
      const [base = '', , name] = listWords(instruction);
      stages.push({ name: name?.toLowerCase(), base, instructions: [] });
    } else {
      (stages.at(-1)?.instructions ?? args).push(...toInstructions(instruction));
    }
  }
  const line = (directive?.getRange()?.start.line ?? 0) + 1;
  return { syntax: directive && { image: directive.getValue().trim(), line }, args, stages };
}

function toInstructions(instruction: Instruction): readonly BuildInstruction[] {
  switch (instruction.getKeyword()) {
    case 'ARG':
    case 'ENV': {
      const kind = instruction.getKeyword() === 'ARG' ? 'arg' : 'env';
      return (instruction as PropertyInstruction).getProperties().map((property) => {
        // In single quotes nothing is expanded, which is rare and then unknown.
        const isLiteral = property.getUnescapedValue()?.startsWith("'");
        const value = property.getValue() ?? undefined;
        return { kind, name: property.getName(), value: isLiteral ? value?.replace(/\$/g, '$?') : value };
      });
    }
    case 'ADD':
    case 'COPY':
      return [{ kind: 'read', from: findFlag(instruction, 'from'), sources: listSources(instruction) }];
    case 'RUN':
      return listFlags(instruction).flatMap(toMount);
    case 'ONBUILD': {
      // Counted here, although the stages that are built on this one read it.
      const trigger = (instruction as OnBuild).getTriggerInstruction();
      return trigger ? toInstructions(trigger) : [];
    }
    default:
      return [];
  }
}

/** The library's classes are not all exported as values, and their types say less. */
type WithFlags = Instruction & { getFlags?(): Flag[] };
type OnBuild = Instruction & { getTriggerInstruction(): Instruction | null };
type PropertyInstruction = Instruction & {
  getProperties(): { getName(): string; getValue(): string | null; getUnescapedValue(): string | null }[];
};

function listFlags(instruction: Instruction): readonly Flag[] {
  return (instruction as WithFlags).getFlags?.() ?? [];
}

function findFlag(instruction: Instruction, name: string): string | undefined {
  const flag = listFlags(instruction).find((each) => each.getName().toLowerCase() === name);
  return flag?.getValue() ?? undefined;
}

function listWords(instruction: Instruction): readonly string[] {
  return instruction.getArguments().map((word) => word.getValue());
}

/** The sources of COPY and ADD; undefined where quotes or escapes make them unknown. */
function listSources(instruction: Instruction): readonly string[] | undefined {
  const raw = (instruction.getArgumentsContent() ?? '').replace(/^(--\S+\s+)*/, '');
  if (raw.startsWith('[')) return parseJson(raw)?.slice(0, -1);
  // The content of a here-document follows its line, and is no source.
  const hasHereDocument = /(^|\s)<<-?["']?\w/.test(raw);
  const words = hasHereDocument ? (raw.split(/\r?\n/)[0]?.trim().split(/\s+/) ?? []) : listWords(instruction);
  const text = hasHereDocument ? words.filter((word) => !word.startsWith('<<')).join(' ') : raw;
  // Docker splits at every space, the library not at quoted and escaped ones. An escaped line end is neither.
  if (/["']|\\(?![ \t]*\r?\n)/.test(text)) return undefined;
  return words.slice(0, -1).filter((word) => !word.startsWith('<<'));
}

function parseJson(text: string): readonly string[] | undefined {
  try {
    const words: unknown = JSON.parse(text);
    return Array.isArray(words) && words.every((word) => typeof word === 'string') ? words : undefined;
  } catch {
    // Over several lines, or no JSON.
    return undefined;
  }
}

/** What `--mount` of RUN reads: a bind mount without a source has all of it. */
function toMount(flag: Flag): readonly BuildInstruction[] {
  if (flag.getName().toLowerCase() !== 'mount') return [];
  const options = new Map(
    (flag.getValue() ?? '').split(',').map((option) => {
      const [name = '', ...value] = option.replace(/^"|"$/g, '').split('=');
      return [name.trim().toLowerCase(), value.join('=')] as const;
    }),
  );
  const type = options.get('type') ?? 'bind';
  const from = options.get('from');
  // A cache begins as a copy of a stage or image, if it names one.
  if (type !== 'bind' && !(type === 'cache' && from)) return [];
  const source = options.get('source') ?? options.get('src') ?? '.';
  return [{ kind: 'read', from, sources: [source] }];
}
