import { readFile } from 'node:fs/promises';
import type { ParseError } from 'jsonc-parser';
import { exitCodes, Failure } from '../../lib/failure.ts';
import { hashContent } from '../../lib/hash.ts';
import { toSystemFailure } from '../../lib/system-failure.ts';

/** Docker's `daemon.json`. */
export type DaemonSettings = Readonly<Record<string, unknown>>;

export interface DaemonFile {
  /** Empty where the file is missing. */
  readonly text: string;
  readonly settings: DaemonSettings;
}

/** @throws {Failure} exit code 3 when it cannot be read, or is not a JSON object; with line and column. */
export async function readDaemonFile(file: string): Promise<DaemonFile> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw toSystemFailure(error) ?? error;
  });
  if (text.trim() === '') return { text, settings: {} };
  // Loaded here: it is rarely needed.
  const { parse, printParseErrorCode } = await import('jsonc-parser');
  const errors: ParseError[] = [];
  // Docker reads it as plain JSON.
  const settings = parse(text, errors, { disallowComments: true });
  const [first] = errors;
  if (first) {
    const before = text.slice(0, first.offset).split('\n');
    const place = `${file}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
    throw new Failure(`${place} is not JSON`, {
      cause: `${toWords(printParseErrorCode(first.error))}: the container engine would not start with this file`,
      hint: `correct ${file}, then run this again`,
      exitCode: exitCodes.host,
    });
  }
  if (!isObject(settings)) {
    throw new Failure(`${file} is not a JSON object`, { hint: `correct ${file}, then run this again` });
  }
  return { text, settings };
}

/** Adds the wanted settings: objects key by key, such as `runtimes`, lists without repetition; other values are replaced. */
export function mergeSettings(present: DaemonSettings, wanted: DaemonSettings): DaemonSettings {
  const added = Object.entries(wanted).map(([key, value]) => [key, mergeValue(present[key], value)]);
  return { ...present, ...Object.fromEntries(added) };
}

function mergeValue(present: unknown, wanted: unknown): unknown {
  if (isObject(present) && isObject(wanted)) return mergeSettings(present, wanted);
  if (Array.isArray(present) && Array.isArray(wanted)) {
    const known = new Set(present.map((each) => JSON.stringify(each)));
    return [...present, ...wanted.filter((each) => !known.has(JSON.stringify(each)))];
  }
  return wanted;
}

/** The present values that merging replaces by others, as JSON: `"default-runtime": "nvidia"`. */
export function listReplaced(present: DaemonSettings, wanted: DaemonSettings): readonly string[] {
  return Object.entries(wanted).flatMap(([key, value]) => {
    const before = present[key];
    if (before === undefined || JSON.stringify(before) === JSON.stringify(mergeValue(before, value)))
      return [];
    if (isObject(before) && isObject(value)) return listReplaced(before, value);
    return Array.isArray(before) && Array.isArray(value)
      ? []
      : [`${JSON.stringify(key)}: ${JSON.stringify(before)}`];
  });
}

/** Where the file is copied to before it is changed: another content has another name, so that no copy is lost. */
export function toCopyPath(file: string, text: string): string {
  return `${file}.before-wealist-${hashContent(text).slice(0, 8)}`;
}

/** `CloseBraceExpected` */
function toWords(code: string): string {
  return code.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();
}

function isObject(value: unknown): value is DaemonSettings {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
