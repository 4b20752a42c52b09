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
}

/** One colour for each service and data store. */
const componentColors = [
  ...(['cyan', 'green', 'magenta', 'yellow', 'blue'] as const),
  ...(['cyanBright', 'greenBright', 'magentaBright', 'yellowBright', 'blueBright'] as const),
  ...(['red', 'redBright'] as const),
];

/** The format for people: component, time of day, level and message, and the other fields dimmed. */
export function createReadableFormat({ components, colors }: ReadableOptions): LogFormat {
  const width = Math.max(0, ...components.map((component) => component.length));

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
    return entry ? toEntryText(entry, component, colors) : toPlainText(text);
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
      const { level, message = text, fields } = parseLogEntry(text) ?? {};
      return `${JSON.stringify({ time, service: component, pod, container, level, message, fields })}\n`;
    })
    .join('');

const printable = /^[\x20-\x7e]*$/;

/** Removes escape sequences, before our own colours are added. */
function toPlainText(text: string): string {
  // Most lines need no change; this test keeps them fast.
  if (printable.test(text)) return text;
  return toTerminalText(text).replaceAll('\n', ' ');
}

function toEntryText({ level, message, fields }: LogEntry, component: string, colors: Colors): string {
  const { stack, service } = fields;
  let text = '';
  for (const key of Object.keys(fields)) {
    // The stack is printed below the line, and the first column already names the service.
    if ((key === 'stack' && typeof stack === 'string') || (key === 'service' && service === component))
      continue;
    text += `${text === '' ? '' : ' '}${toPlainText(key)}=${toValueText(fields[key])}`;
  }
  const prefix = level === undefined ? '' : `${toLevelText(level, colors)} `;
  const suffix = text === '' ? '' : ` ${colors.dim(text)}`;
  const stackText =
    typeof stack === 'string'
      ? stack
          .split('\n')
          .map((line) => `\n    ${colors.dim(toPlainText(line))}`)
          .join('')
      : '';
  return `${prefix}${toPlainText(message)}${suffix}${stackText}`;
}

function toValueText(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return toPlainText(typeof value === 'string' && /^\S+$/.test(value) ? value : JSON.stringify(value));
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
