import { access, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Option } from '../src/cli/command.ts';
import { globalOptions, toFlag } from '../src/cli/options.ts';
import { commands } from '../src/commands/index.ts';
import { exitCodes } from '../src/lib/failure.ts';

interface Fence {
  readonly language: string;
  readonly lines: readonly string[];
}

/** A heading with what follows it, up to the next heading. */
interface Section {
  readonly level: number;
  readonly title: string;
  /** Paragraphs, list items and table rows. */
  readonly blocks: readonly string[];
  readonly fences: readonly Fence[];
}

const root = join(import.meta.dirname, '..');
const files = ['README.md', 'README.ko.md', 'argocd/README.md', 'test/e2e/README.md'];
const texts = new Map(
  await Promise.all(
    files.map(async (file): Promise<[string, string]> => [file, await readFile(join(root, file), 'utf8')]),
  ),
);
const english = parse('README.md');
const korean = parse('README.ko.md');
const known = new Map(
  await Promise.all(
    Object.entries(commands).map(async ([name, { load }]) => [name, (await load()).command] as const),
  ),
);
const { scripts }: { scripts: Record<string, string> } = JSON.parse(
  await readFile(join(root, 'package.json'), 'utf8'),
);

describe('README.ko.md has what README.md has', () => {
  test('headings', () => {
    expect(korean.map(({ level }) => level)).toEqual(english.map(({ level }) => level));
  });

  test.each(english.map((section, index) => [section.title, section, korean[index]] as const))(
    'section %s',
    (_, ours, theirs) => {
      if (!theirs) throw new Error(`README.ko.md has no section for ${ours.title}`);
      const rows = (section: Section) => section.blocks.filter((block) => block.startsWith('|')).length;
      expect(theirs.fences).toEqual(ours.fences);
      expect(listScriptLines(theirs)).toEqual(listScriptLines(ours));
      expect(new Set(listCode(theirs))).toEqual(new Set(listCode(ours)));
      expect(listNumbers(theirs)).toEqual(listNumbers(ours));
      expect(rows(theirs)).toBe(rows(ours));
    },
  );

  test('link targets', () => {
    const targets = (sections: readonly Section[]) =>
      sections.flatMap(listLinks).map((target) => toPlace(target, sections));
    expect(targets(korean)).toEqual(targets(english));
  });
});

test('each README links to the other at its top', () => {
  expect(english[0]?.blocks[0]).toContain('](README.ko.md)');
  expect(korean[0]?.blocks[0]).toContain('](README.md)');
});

test.each(['README.md', 'README.ko.md'])('%s lists every exit code', (file) => {
  const codes = [...(texts.get(file) ?? '').matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
  expect(codes).toEqual(Object.values(exitCodes));
});

describe.each(files)('%s', (file) => {
  test('links to files and headings that exist', async () => {
    const sections = parse(file);
    for (const target of sections.flatMap(listLinks)) {
      if (target.startsWith('#')) expect(sections.map(({ title }) => toAnchor(title))).toContain(target);
      else if (!target.includes('://')) await access(join(root, dirname(file), target));
    }
  });

  test('names scripts that exist', () => {
    const named = [...(texts.get(file) ?? '').matchAll(/npm run (?:--silent )?([\w:-]+)/g)];
    expect(named.length).toBeGreaterThan(0);
    for (const [, name = ''] of named) expect(scripts).toHaveProperty([name]);
  });

  test('shows flags that exist', () => {
    const shown = parse(file).flatMap(({ blocks, fences }) => [
      ...fences.flatMap(({ lines }) => lines.flatMap((line) => listFlags([line]))),
      ...blocks.flatMap((block) => listFlags(findCode(block))),
    ]);
    const unknown = shown.filter(({ command, flag }) => !isFlag(flag, command));
    expect(unknown).toEqual([]);
  });
});

function parse(file: string): readonly Section[] {
  const sections: { level: number; title: string; text: string; fences: Fence[] }[] = [];
  let fence: { language: string; lines: string[] } | undefined;
  for (const line of (texts.get(file) ?? '').split('\n')) {
    const section = sections.at(-1);
    const [, hashes, title = ''] = /^(#{1,6}) (.+)$/.exec(line) ?? [];
    if (line.startsWith('```')) {
      if (fence) section?.fences.push(fence);
      fence = fence ? undefined : { language: line.slice('```'.length), lines: [] };
    } else if (fence) fence.lines.push(withoutComment(line));
    else if (hashes) sections.push({ level: hashes.length, title, text: '', fences: [] });
    else if (section) section.text += `${line}\n`;
  }
  return sections.map(({ text, ...section }) => ({ ...section, blocks: toBlocks(text) }));
}

function toBlocks(text: string): readonly string[] {
  return text
    .split(/\n{2,}|\n(?=[|-])/)
    .map((block) => block.trim())
    .filter((block) => block !== '');
}

/** Comments behind code are in the language of the file. */
function withoutComment(line: string): string {
  return line.replace(/\s+# .*$/, '');
}

function findCode(block: string): readonly string[] {
  return [...block.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
}

function listCode({ blocks }: Section): readonly string[] {
  return blocks.flatMap(findCode);
}

function listScriptLines(section: Section): readonly string[] {
  return listCode(section).filter((code) => code.startsWith('npm '));
}

function listLinks({ blocks }: Section): readonly string[] {
  const targets = blocks.flatMap((block) =>
    [...block.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target),
  );
  return targets.filter((target) => !/^README(\.ko)?\.md$/.test(target));
}

/** Figures of the prose and the tables, in no order, since that is the language's. */
function listNumbers({ title, blocks }: Section): readonly string[] {
  const prose = [title, ...blocks].join('\n').replace(/`[^`]+`|\]\([^)]+\)/g, '');
  // Korean writes the month as a number.
  const numbers = prose.replace('March', '3').match(/\d+(?:[.,]\d+)*/g) ?? [];
  return numbers.toSorted();
}

/** A heading by its position, which is the same in every language. */
function toPlace(target: string, sections: readonly Section[]): string | number {
  return target.startsWith('#') ? sections.findIndex(({ title }) => toAnchor(title) === target) : target;
}

/** As GitHub makes it. */
function toAnchor(title: string): string {
  return `#${title
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')}`;
}

/** The flags with the command that each belongs to: the one in front of it, or the last one that the block names. */
function listFlags(codes: readonly string[]): readonly { command: string | undefined; flag: string }[] {
  let command: string | undefined;
  return codes.flatMap((code) => {
    const script = /^npm run (?:--silent )?(?:wealist -- )?([\w:-]+)/.exec(code)?.[1];
    const named = script ?? /^[\w-]+(?= |$)/.exec(code)?.[0];
    if (script !== undefined || (named !== undefined && known.has(named))) command = named;
    else if (!code.startsWith('-')) return [];
    // Behind a second `--` stand the words of another program.
    const own = code.split(/ -- (?!-)/)[0] ?? '';
    return own
      .split(' ')
      .filter((word) => /^--?\w/.test(word))
      .map((flag) => ({ command, flag }));
  });
}

function isFlag(flag: string, name: string | undefined): boolean {
  const command = name === undefined ? undefined : known.get(name);
  // Such as `npm run bench`, whose flags no command describes.
  if (name !== undefined && !command) return name in scripts;
  if (command?.passThrough) return true;
  const candidates = command ? [command] : [...known.values()];
  const options = candidates.flatMap(({ options }) =>
    Object.entries<Option>({ ...options, ...globalOptions }),
  );
  const flags = options.flatMap(([key, { short }]) => [toFlag(key), ...(short ? [`-${short}`] : [])]);
  return [...flags, '--help', '-h'].includes(flag);
}
