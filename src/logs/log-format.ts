import type { Colors } from '../ui/style.ts';
import { toTerminalText } from '../ui/terminal-text.ts';
import type { LogSource } from './log-containers.ts';
import { type LogEntry, parseLogEntry } from './log-entry.ts';
import type { LogLine } from './log-line.ts';

/** Lines of one source as they are printed, each with its end. */
export type LogFormat = (source: LogSource, lines: readonly LogLine[]) => string;

export interface ReadableOptions {
  /** All that may be shown, in the order of their colours; the longest makes the width of the first column. */
  readonly parts: readonly string[];
  readonly colors: Colors;
}

/** As many as there are services and data stores, so that each has its own. */
const partColors = [
  ...(['cyan', 'green', 'magenta', 'yellow', 'blue'] as const),
  ...(['cyanBright', 'greenBright', 'magentaBright', 'yellowBright', 'blueBright'] as const),
  ...(['red', 'redBright'] as const),
];

/** For a person: part, time of day, level, message, and in dim what else the line says. */
export function createReadableFormat({ parts, colors }: ReadableOptions): LogFormat {
  const width = Math.max(0, ...parts.map((part) => part.length));

  function toPrefix({ part, podSuffix, container, isOneOfSeveral }: LogSource): string {
    const name = [part, ...(podSuffix === undefined ? [] : [podSuffix])].join('/');
    const whole = isOneOfSeveral ? `${name}:${container}` : name;
    const color = partColors[Math.max(0, parts.indexOf(part)) % partColors.length] ?? 'cyan';
    return colors[color](whole.padEnd(width));
  }

  function toText({ text, isGap }: LogLine, part: string): string {
    if (isGap) return colors.yellow(text);
    const entry = parseLogEntry(text);
    return entry ? toEntryText(entry, part, colors) : clean(text);
  }

  return (source, lines) => {
    const prefix = toPrefix(source);
    return lines
      .map((line) => `${prefix}  ${colors.dim(toTimeOfDay(line.time))}  ${toText(line, source.part)}\n`)
      .join('');
  };
}

/** For a program: a JSON object a line, with `level` and `fields` where the line itself is one, and `gap` at a loss. */
export const formatAsJson: LogFormat = ({ part, pod, container }, lines) =>
  lines
    .map(({ time, text, isGap, missing }) => {
      if (isGap) return `${JSON.stringify({ time, service: part, pod, container, gap: true, missing })}\n`;
      const { level, message = text, fields } = parseLogEntry(text) ?? {};
      return `${JSON.stringify({ time, service: part, pod, container, level, message, fields })}\n`;
    })
    .join('');

const harmless = /^[\x20-\x7e]*$/;

/** Escapes are taken out before our own colours are put in. */
function clean(text: string): string {
  // Most lines, and what is not looked at costs nothing.
  if (harmless.test(text)) return text;
  return toTerminalText(text).replaceAll('\n', ' ');
}

function toEntryText({ level, message, fields }: LogEntry, part: string, colors: Colors): string {
  const { stack, service } = fields;
  let shown = '';
  for (const key of Object.keys(fields)) {
    // What stands below, and what the first column says already.
    if ((key === 'stack' && typeof stack === 'string') || (key === 'service' && service === part)) continue;
    shown += `${shown === '' ? '' : ' '}${clean(key)}=${toValueText(fields[key])}`;
  }
  const before = level === undefined ? '' : `${toLevelText(level, colors)} `;
  const after = shown === '' ? '' : ` ${colors.dim(shown)}`;
  const below =
    typeof stack === 'string'
      ? stack
          .split('\n')
          .map((line) => `\n    ${colors.dim(clean(line))}`)
          .join('')
      : '';
  return `${before}${clean(message)}${after}${below}`;
}

function toValueText(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return clean(typeof value === 'string' && /^\S+$/.test(value) ? value : JSON.stringify(value));
}

function toLevelText(level: string, colors: Colors): string {
  const text = clean(level).toUpperCase().padEnd(5);
  if (/^(error|err|fatal|panic|critical|crit|alert|emerg)/.test(level)) return colors.red(text);
  if (level.startsWith('warn')) return colors.yellow(text);
  return level.startsWith('info') || level === 'notice' ? colors.green(text) : colors.dim(text);
}

/** The second of the last line, and its time of day: most lines share theirs with the one before. */
let lastSecond = '';
let lastTimeOfDay = '';

/** `12:34:56.789` where the person is. */
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
