import type { Colors } from '../ui/style.ts';
import { toTerminalText } from '../ui/terminal-text.ts';
import type { LogSource } from './log-containers.ts';
import { type LogEntry, parseLogEntry } from './log-entry.ts';
import type { LogLine } from './log-line.ts';

/** Formats lines of one source for printing, each with its line break. */
export type LogFormat = (source: LogSource, lines: readonly LogLine[]) => string;

export interface ReadableOptions {
  /**
   * All components that may be shown, in the order of their colours. The longest name sets the width of the first
   * column.
   */
  readonly components: readonly string[];
  readonly colors: Colors;
  /** What is emphasised in texts and fields. */
  readonly highlight?: RegExp | undefined;
}

/** One colour for each service and data store. */
const componentColors = [
  ...(['cyan', 'green', 'magenta', 'yellow', 'blue'] as const),
  ...(['cyanBright', 'greenBright', 'magentaBright', 'yellowBright', 'blueBright'] as const),
  ...(['red', 'redBright'] as const),
];

/** The format for people: component, time of day, level and message, and the other fields dimmed. */
export function createReadableFormat({ components, colors, highlight }: ReadableOptions): LogFormat {
  const width = Math.max(0, ...components.map((component) => component.length));
  const toPlain = createPlainText(colors, highlight);

  function toPrefix({ component, podSuffix, container, isOneOfSeveral }: LogSource): string {
    const name = [component, ...(podSuffix === undefined ? [] : [podSuffix])].join('/');
    const whole = isOneOfSeveral ? `${name}:${container}` : name;
    const color =
      componentColors[Math.max(0, components.indexOf(component)) % componentColors.length] ?? 'cyan';
    return colors[color](whole.padEnd(width));
  }

  function toText({ text, isGap }: LogLine, component: string): string {
    if (isGap) return colors.yellow(text);
    const entry = parseLogEntry(text);
    return entry ? toEntryText(entry, component, { colors, toPlain }) : toPlain(text);
  }

  return (source, lines) => {
    const prefix = toPrefix(source);
    return lines
      .map((line) => `${prefix}  ${colors.dim(toTimeOfDay(line.time))}  ${toText(line, source.component)}\n`)
      .join('');
  };
}

/**
 * The format for programs: one JSON object per line, with `level` and `fields` when the line itself is JSON, and `gap`
 * where lines are missing.
 */
export const formatAsJson: LogFormat = ({ component, pod, container }, lines) =>
  lines
    .map(({ time, text, isGap, missing }) => {
      if (isGap)
        return `${JSON.stringify({ time, service: component, pod, container, gap: true, missing })}\n`;
      const { level, message = text, fields, stack = [] } = parseLogEntry(text) ?? {};
      const lines = stack.length === 0 ? undefined : stack.join('\n');
      return `${JSON.stringify({ time, service: component, pod, container, level, message, fields, stack: lines })}\n`;
    })
    .join('');

const printable = /^[\x20-\x7e]*$/;

/** Removes escape sequences, before our own colours are added. */
function toPlainText(text: string): string {
  // Most lines need no change; this test keeps them fast.
  if (printable.test(text)) return text;
  return toTerminalText(text).replaceAll('\n', ' ');
}

/** The same with what matches emphasised, where there are colours. */
function createPlainText(colors: Colors, highlight: RegExp | undefined): (text: string) => string {
  if (!highlight || !colors.isColorSupported) return toPlainText;
  const all = new RegExp(highlight.source, `${highlight.flags}g`);
  const emphasise = (found: string) => colors.bold(colors.yellow(found));
  return (text) => {
    // First without secrets: in one that is emphasised in part, it would not be recognised any more.
    const plain = toTerminalText(text).replaceAll('\n', ' ');
    // A pattern that matches the empty text would be found between any two letters.
    return plain.replace(all, (found) => (found === '' ? '' : emphasise(found)));
  };
}

interface EntryText {
  readonly colors: Colors;
  readonly toPlain: (text: string) => string;
}

function toEntryText(
  { level, message, fields, stack }: LogEntry,
  component: string,
  { colors, toPlain }: EntryText,
): string {
  let text = '';
  for (const key of Object.keys(fields)) {
    // The first column already names the service.
    if (key === 'service' && fields[key] === component) continue;
    text += `${text === '' ? '' : ' '}${toPlainText(key)}=${toPlain(toValueText(fields[key]))}`;
  }
  const prefix = level === undefined ? '' : `${toLevelText(level, colors)} `;
  const parts = [toPlain(message), colors.dim(text)].filter((each) => each !== '');
  const lines = stack.map((line) => `\n    ${colors.dim(toPlain(line))}`);
  return `${prefix}${parts.join(' ')}${lines.join('')}`;
}

function toValueText(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' && /^\S+$/.test(value) ? value : JSON.stringify(value);
}

function toLevelText(level: string, colors: Colors): string {
  const text = toPlainText(level).toUpperCase().padEnd(5);
  if (/^(error|err|fatal|panic|critical|crit|alert|emerg)/.test(level)) return colors.red(text);
  if (level.startsWith('warn')) return colors.yellow(text);
  return level.startsWith('info') || level === 'notice' ? colors.green(text) : colors.dim(text);
}

/** A cache of the last result, because most lines have the same second as the previous line. */
let lastSecond = '';
let lastTimeOfDay = '';

/** `12:34:56.789` in the local time zone. */
function toTimeOfDay(time: string): string {
  const second = time.slice(0, 19);
  if (second !== lastSecond) {
    const date = new Date(time);
    const two = (value: number) => String(value).padStart(2, '0');
    const isTime = !Number.isNaN(date.getTime());
    lastSecond = second;
    lastTimeOfDay = isTime
      ? `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
      : '';
  }
  return lastTimeOfDay === '' ? ''.padEnd(12) : `${lastTimeOfDay}${time.slice(19, 23)}`;
}
