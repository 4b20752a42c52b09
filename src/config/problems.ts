import { exitCodes, Failure } from '../lib/failure.ts';
import { toAscii, toPrintable } from '../lib/printable.ts';

/** Where a value stands: a file with line and column (both from 1), or a flag of the command line. */
export interface Place {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
}

/** A key's way from the root, list items by index. */
export type Path = readonly (string | number)[];

/** One thing that is wrong with the configuration; `text` reads "got …, expected …". */
export interface Problem {
  readonly place: Place;
  readonly path: Path;
  readonly text: string;
}

/** More are cut: the first ones are mended first, and a broken file can hold thousands. */
const shown = 20;
const longestValue = 60;

/** All that is wrong with the configuration, one line each: `file:line:col key: got X, expected Y`. */
export class ConfigFailure extends Failure {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const lines = problems.slice(0, shown).map(toLine);
    if (problems.length > shown) lines.push(`and ${problems.length - shown} more`);
    super(lines.join('\n'), { exitCode: exitCodes.usage });
    this.name = 'ConfigFailure';
    this.problems = problems;
  }
}

function toLine({ place, path, text }: Problem): string {
  return path.length === 0
    ? `${toPlaceText(place)}: ${text}`
    : `${toPlaceText(place)} ${toKey(path)}: ${text}`;
}

/** `env/base.yaml:5:11`, or the flag. */
export function toPlaceText({ file, line, column }: Place): string {
  return [toPrintable(file), line, column].filter((part) => part !== undefined).join(':');
}

/** `services.auth-service.needs[2]` */
function toKey(path: Path): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${quoteKey(part)}`))
    .join('')
    .replace(/^\./, '');
}

function quoteKey(key: string): string {
  return /^[\w-]+$/.test(key) ? cut(key) : `"${cut(toAscii(key))}"`;
}

/** A text in quotes, as a message may show it. */
export function quote(value: string, toShown?: (text: string) => string): string {
  return `"${shorten(value, toShown)}"`;
}

/** A value as a message may show it: its first line, cut, escaped, and without the password of an address. */
export function shorten(value: string, toShown: (text: string) => string = toPrintable): string {
  const [line = ''] = value.slice(0, 1000).split('\n', 1);
  const text = cut(toShown(line.replace(/[^\s/@:]*:[^\s/]*@/g, '***@')));
  return line === value || text.endsWith('…') ? text : `${text}…`;
}

function cut(text: string): string {
  return text.length > longestValue ? `${text.slice(0, longestValue)}…` : text;
}

/** The place of a character of a text. */
export function placeAt(file: string, text: string, offset: number): Place {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { file, line: before.split('\n').length, column: offset - lineStart + 1 };
}
