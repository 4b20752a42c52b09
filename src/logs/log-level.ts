import { parseLogEntry } from './log-entry.ts';
import type { LogLine } from './log-line.ts';

/** From the least to the most urgent. */
export const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
export type Level = (typeof levels)[number];

/** What loggers call them, by how their names begin. */
const beginnings: readonly (readonly [RegExp, Level])[] = [
  [/^(trace|verbose|finest|silly)/, 'trace'],
  [/^(debug|fine)/, 'debug'],
  [/^(info|notice|log$|config$)/, 'info'],
  [/^warn/, 'warn'],
  [/^(err|severe)/, 'error'],
  [/^(fatal|panic|crit|alert|emerg)/, 'fatal'],
];

/** The level that a logger's own name for it means; undefined for a word that is none. */
function toLevel(name: string): Level | undefined {
  const lower = name.toLowerCase();
  return beginnings.find(([beginning]) => beginning.test(lower))?.[1];
}

const words =
  'TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|ERR|SEVERE|FATAL|PANIC|CRIT|CRITICAL|ALERT|EMERG|LOG';
/** `[error]`, `ERROR:`, ` WARN `, as Spring, nginx, zap, Python and PostgreSQL write it, near the start of a line. */
const word = new RegExp(
  `^.{0,80}?(?:(?:^|[\\s|])(${words})(?::|\\s|\\||$)|[[<](${words})[\\]>])|^.{0,80}?[[<](${words.toLowerCase()})[\\]>]`,
);
/** `level=info`, `level="info"` */
const pair = /(?:^|\s)(?:level|lvl|severity)="?([A-Za-z]+)/;
/** Kubernetes' own programs: `E1126 12:00:00.000000`. */
const klog = /^([IWEF])\d{4} /;
/** Redis: `1:M 26 Nov 2026 12:00:00.000 * Ready` */
const redis = /^\d+:[A-Z] \d\d \w{3} \d{4} [\d:.]+ ([.\-*#]) /;

const letters: Readonly<Record<string, Level>> = {
  ...{ I: 'info', W: 'warn', E: 'error', F: 'fatal' },
  ...{ '.': 'trace', '-': 'debug', '*': 'info', '#': 'warn' },
};

/** The level of a line in JSON or one of the common formats; undefined where it says none. */
export function findLevel(text: string): Level | undefined {
  const level = parseLogEntry(text)?.level ?? pair.exec(text)?.[1];
  if (level !== undefined) return toLevel(level);
  const letter = (klog.exec(text) ?? redis.exec(text))?.[1];
  if (letter !== undefined) return letters[letter];
  const [, plain, bracketed, lower] = word.exec(text) ?? [];
  const name = plain ?? bracketed ?? lower;
  return name === undefined ? undefined : toLevel(name);
}

/** Lines that go on with the one before: of a stack trace, or what PostgreSQL adds to an error. */
const continuation =
  /^(\s|Caused by:|Traceback |goroutine \d|\.\.\. \d|.{0,60}(DETAIL|HINT|STATEMENT|CONTEXT|QUERY): )/;

/**
 * Of the lines of one log, given in their order, those of this level and above. A line that says none counts as info,
 * unless it goes on with the one before.
 */
export function createLevelFilter(lowest: Level): (lines: readonly LogLine[]) => readonly LogLine[] {
  const least = levels.indexOf(lowest);
  let last: Level = 'info';
  return (lines) =>
    lines.filter(({ text, isGap }) => {
      if (isGap) return true;
      last = findLevel(text) ?? (continuation.test(text) ? last : 'info');
      return levels.indexOf(last) >= least;
    });
}
