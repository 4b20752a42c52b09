import { parseLogEntry } from './log-entry.ts';
import type { LogLine } from './log-line.ts';

/** From the least to the most severe. */
export const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
export type Level = (typeof levels)[number];

/** Level names of common loggers, by their prefix. */
const levelPrefixes: readonly (readonly [RegExp, Level])[] = [
  [/^(tra?c|verbose|finest|silly)/, 'trace'],
  [/^(debu|dbg|fine)/, 'debug'],
  [/^(inf|notice|log$|config$)/, 'info'],
  [/^(warn|wrn)/, 'warn'],
  [/^(err|severe)/, 'error'],
  [/^(fata|ftl|d?pani|pnc|crit|alert|emerg)/, 'fatal'],
];

/** The level for a logger's own level name; undefined when the name is unknown. */
function toLevel(name: string): Level | undefined {
  const lowerCase = name.toLowerCase();
  return levelPrefixes.find(([prefix]) => prefix.test(lowerCase))?.[1];
}

const levelWords =
  'TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|ERR|SEVERE|FATAL|DPANIC|PANIC|CRIT|CRITICAL|ALERT|EMERG|LOG';
/** `[error]`, `ERROR:` or ` WARN ` near the start of a line, as Spring, nginx, zap, Python and PostgreSQL write it. */
const levelWord = new RegExp(
  `^.{0,80}?(?:(?:^|[\\s|])(${levelWords})(?::|\\s|\\||$)|[[<](${levelWords})[\\]>])|^.{0,80}?[[<](${levelWords.toLowerCase()})[\\]>]`,
);
/** `level=info`, `level="info"` */
const levelPair = /(?:^|\s)(?:level|lvl|severity)="?([A-Za-z]+)/;
/** The formats of single loggers whose level names are no words of their own in other texts. */
const levelFormats: readonly RegExp[] = [
  // logrus on a terminal: `ERRO[0001] the message`
  /^(TRAC|DEBU|INFO|WARN|ERRO|FATA|PANI)\[\d+\] /,
  // zerolog's console writer: `3:04PM ERR the message`
  /^\S*\d\S*(?: [AP]M)? (TRC|DBG|INF|WRN|ERR|FTL|PNC)(?: |$)/,
];
/** zap's console encoder with lower-case levels, between tabs. */
const zapLine = /^[^\t]*\t(debug|info|warn|error|dpanic|panic|fatal)\t/;
/** Kubernetes components write `E1126 12:00:00.000000`. */
const klogLine = /^([IWEF])\d{4} /;
/** Redis writes `1:M 26 Nov 2026 12:00:00.000 * Ready`. */
const redisLine = /^\d+:[A-Z] \d\d \w{3} \d{4} [\d:.]+ ([.\-*#]) /;

const levelLetters: Readonly<Record<string, Level>> = {
  ...{ I: 'info', W: 'warn', E: 'error', F: 'fatal' },
  ...{ '.': 'trace', '-': 'debug', '*': 'info', '#': 'warn' },
};

/** How runtimes begin what they print of an error that no logger has. */
const failures: readonly (readonly [RegExp, Level])[] = [
  // Go: `panic: …`, `fatal error: …`, a recovered panic, and the dump of a goroutine
  [/^(?:panic|fatal error): /, 'fatal'],
  [/\bpanic (?:recovered:|serving )|^goroutine \d+ (?:gp=|\[)/, 'error'],
  // Python, Java
  [/^(?:Traceback \(most recent call last\):|Exception in thread ")/, 'error'],
  // `ValueError: boom`, `java.lang.IllegalStateException`, `Uncaught TypeError: …`, `TypeError [ERR_X]: …`
  [/^(?:Uncaught )?(?:[\w$]+\.)*[A-Z]?\w*(?:Error|Exception)(?:: | \[\w+\]: |$)/, 'error'],
  // Node: the place of an error that was not caught, and a rejection
  [/^(?:node:[\w/]+|(?:file:\/\/)?\/\S+\.[cm]?[jt]sx?):\d+$/, 'error'],
  [/^(?:\(node:\d+\) )?(?:\[?Unhandled|Uncaught Exception|UnhandledPromiseRejection)/i, 'error'],
  [/^\(node:\d+\) .*Warning: /, 'warn'],
];

/** A word of each of them: most lines have none, which is found out faster. */
const failureWord = /rror|xception|panic|goroutine |Traceback|nhandled|Warning: |^node:|^file:|^\//;

// biome-ignore lint/suspicious/noControlCharactersInRegex: an escape is what it looks for.
const escapes = /\x1b\[[\d;]*[A-Za-z]/g;

/** The text without the colours that a logger adds, also where it was not written to a terminal. */
const withoutColors = (text: string) => (text.includes('\x1b') ? text.replace(escapes, '') : text);

/** The level of a line in JSON or one of the common formats, or of an error; undefined when the line has no level. */
export function findLevel(line: string): Level | undefined {
  const text = withoutColors(line);
  const level = parseLogEntry(text)?.level ?? levelPair.exec(text)?.[1];
  if (level !== undefined) return toLevel(level);
  const levelLetter = (klogLine.exec(text) ?? redisLine.exec(text))?.[1];
  if (levelLetter !== undefined) return levelLetters[levelLetter];
  for (const format of text.includes('\t') ? [...levelFormats, zapLine] : levelFormats) {
    const name = format.exec(text)?.[1];
    if (name !== undefined) return toLevel(name);
  }
  const failure = findFailure(text);
  if (failure !== undefined) return failure;
  const [, standalone, bracketed, lowerCase] = levelWord.exec(text) ?? [];
  const name = standalone ?? bracketed ?? lowerCase;
  return name === undefined ? undefined : toLevel(name);
}

function findFailure(text: string): Level | undefined {
  return failureWord.test(text) ? failures.find(([pattern]) => pattern.test(text))?.[1] : undefined;
}

/**
 * Lines that continue the previous one: what is indented, the details that PostgreSQL adds to an error, and what stands
 * between or after the frames of a stack trace in Java, Python, Go and Node.
 */
const continuation =
  /^(\s|$|Caused by:|Suppressed: |\.\.\. \d|.{0,60}(DETAIL|HINT|STATEMENT|CONTEXT|QUERY): |During handling of the above exception|The above exception was the direct cause|\[signal SIG|created by |exit status \d|Node\.js v\d|\})/;

/** A frame of Go, whose file follows in the next line: `main.(*Server).run(0xc000, {0x1, 0x2})`, `main.main`. */
const goFrame = /^[\w.~/-]+\.[\w.$()*[\]·{}-]+(?:\(.*\))?$/;

/**
 * Returns a function that tells the level of each line of one log, passed in order. A line without a level counts as info,
 * unless it continues the previous line: a stack trace belongs to its error.
 */
export function createLevelReader(): (line: string) => Level {
  const error = levels.indexOf('error');
  let last: Level = 'info';

  function toLineLevel(line: string): Level {
    const text = withoutColors(line);
    const own = findLevel(text);
    const isWithin = levels.indexOf(last) >= error;
    // The parts of one error have no other level than its first line: `panic: …`, `goroutine 1 [running]:`
    if (own !== undefined) return isWithin && own === 'error' && findFailure(text) !== undefined ? last : own;
    return continuation.test(text) || (isWithin && goFrame.test(text)) ? last : 'info';
  }

  return (line) => {
    last = toLineLevel(line);
    return last;
  };
}

/** Filters the lines of one log, passed in order, by this level and above. Gaps always pass. */
export function createLevelFilter(lowest: Level): (lines: readonly LogLine[]) => readonly LogLine[] {
  const lowestIndex = levels.indexOf(lowest);
  const toLevelOf = createLevelReader();
  return (lines) =>
    lines.filter(({ text, isGap }) => isGap || levels.indexOf(toLevelOf(text)) >= lowestIndex);
}
