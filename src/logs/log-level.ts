import { parseLogEntry } from './log-entry.ts';
import type { LogLine } from './log-line.ts';

/** From the least to the most severe. */
export const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
export type Level = (typeof levels)[number];

/** Level names of common loggers, by their prefix. */
const levelPrefixes: readonly (readonly [RegExp, Level])[] = [
  [/^(trace|verbose|finest|silly)/, 'trace'],
  [/^(debug|fine)/, 'debug'],
  [/^(info|notice|log$|config$)/, 'info'],
  [/^warn/, 'warn'],
  [/^(err|severe)/, 'error'],
  [/^(fatal|panic|crit|alert|emerg)/, 'fatal'],
];

/** The level for a logger's own level name; undefined when the name is unknown. */
function toLevel(name: string): Level | undefined {
  const lowerCase = name.toLowerCase();
  return levelPrefixes.find(([prefix]) => prefix.test(lowerCase))?.[1];
}

const levelWords =
  'TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|ERR|SEVERE|FATAL|PANIC|CRIT|CRITICAL|ALERT|EMERG|LOG';
/** `[error]`, `ERROR:` or ` WARN ` near the start of a line, as Spring, nginx, zap, Python and PostgreSQL write it. */
const levelWord = new RegExp(
  `^.{0,80}?(?:(?:^|[\\s|])(${levelWords})(?::|\\s|\\||$)|[[<](${levelWords})[\\]>])|^.{0,80}?[[<](${levelWords.toLowerCase()})[\\]>]`,
);
/** `level=info`, `level="info"` */
const levelPair = /(?:^|\s)(?:level|lvl|severity)="?([A-Za-z]+)/;
/** Kubernetes components write `E1126 12:00:00.000000`. */
const klogLine = /^([IWEF])\d{4} /;
/** Redis writes `1:M 26 Nov 2026 12:00:00.000 * Ready`. */
const redisLine = /^\d+:[A-Z] \d\d \w{3} \d{4} [\d:.]+ ([.\-*#]) /;

const levelLetters: Readonly<Record<string, Level>> = {
  ...{ I: 'info', W: 'warn', E: 'error', F: 'fatal' },
  ...{ '.': 'trace', '-': 'debug', '*': 'info', '#': 'warn' },
};

/** The level of a line in JSON or one of the common formats; undefined when the line has no level. */
export function findLevel(text: string): Level | undefined {
  const level = parseLogEntry(text)?.level ?? levelPair.exec(text)?.[1];
  if (level !== undefined) return toLevel(level);
  const levelLetter = (klogLine.exec(text) ?? redisLine.exec(text))?.[1];
  if (levelLetter !== undefined) return levelLetters[levelLetter];
  const [, standalone, bracketed, lowerCase] = levelWord.exec(text) ?? [];
  const name = standalone ?? bracketed ?? lowerCase;
  return name === undefined ? undefined : toLevel(name);
}

/** Lines that continue the previous one: stack traces, and the details that PostgreSQL adds to an error. */
const continuation =
  /^(\s|Caused by:|Traceback |goroutine \d|\.\.\. \d|.{0,60}(DETAIL|HINT|STATEMENT|CONTEXT|QUERY): )/;

/**
 * Filters the lines of one log, passed in order, by this level and above. A line without a level counts as info, unless
 * it continues the previous line. Gaps always pass.
 */
export function createLevelFilter(lowest: Level): (lines: readonly LogLine[]) => readonly LogLine[] {
  const lowestIndex = levels.indexOf(lowest);
  let lastLevel: Level = 'info';
  return (lines) =>
    lines.filter(({ text, isGap }) => {
      if (isGap) return true;
      lastLevel = findLevel(text) ?? (continuation.test(text) ? lastLevel : 'info');
      return levels.indexOf(lastLevel) >= lowestIndex;
    });
}
