import { exitCodes, Failure } from '../lib/failure.ts';
import { toAscii, toPrintable } from '../lib/printable.ts';

/** Where a value is written: a file with line and column (both from 1), or a command-line flag. */
export interface Place {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
}

/** The keys from the root to a value; list items by index. */
export type Path = readonly (string | number)[];

/** One mistake in the configuration; `text` reads "got …, expected …". */
export interface Problem {
  readonly place: Place;
  readonly path: Path;
  readonly text: string;
}

/** A broken file can have thousands of problems. */
const maxShown = 20;
/** Characters of a value that a message shows. */
const maxValueLength = 60;

/** All mistakes in the configuration, one line each: `file:line:col key: got X, expected Y`. Exit code 2. */
export class ConfigFailure extends Failure {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const lines = problems.slice(0, maxShown).map(toLine);
    if (problems.length > maxShown) lines.push(`and ${problems.length - maxShown} more`);
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

/** A text in quotes, shortened and escaped for a message. */
export function quote(value: string, toShown?: (text: string) => string): string {
  return `"${shorten(value, toShown)}"`;
}

/** A value for a message: its first line, cut, escaped, and without the password of a URL. */
export function shorten(value: string, toShown: (text: string) => string = toPrintable): string {
  const [line = ''] = value.slice(0, 1000).split('\n', 1);
  const text = cut(toShown(line.replace(/[^\s/@:]*:[^\s/]*@/g, '***@')));
  return line === value || text.endsWith('…') ? text : `${text}…`;
}

function cut(text: string): string {
  return text.length > maxValueLength ? `${text.slice(0, maxValueLength)}…` : text;
}

/** The place of a character of a text. */
export function placeAt(file: string, text: string, offset: number): Place {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { file, line: before.split('\n').length, column: offset - lineStart + 1 };
}
