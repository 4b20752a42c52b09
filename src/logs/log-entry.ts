import { findStack } from './log-stack.ts';

/** A log line that a program wrote as JSON, parsed. */
export interface LogEntry {
  readonly level: string | undefined;
  /** Empty for a line that has only a level and fields, as zerolog's `Send()` writes it. */
  readonly message: string;
  /** All other fields except the time, since the node adds a time to every line, and except the stack. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** The stack trace, if there is one, in lines. */
  readonly stack: readonly string[];
}

/** Field names that common loggers use. */
const messageKeys = ['message', 'msg', 'event'];
const levelKeys = ['level', 'severity', 'lvl', 'log.level', 'levelname'];
const timeKeys = new Set(['time', 'timestamp', '@timestamp', 'ts', 't']);

/** Levels of loggers that write numbers, such as bunyan and pino. */
const numericLevels: Readonly<Record<number, string>> = {
  ...{ 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' },
};

/** Parses a line; undefined when it is not a JSON object with a message or a level. */
export function parseLogEntry(text: string): LogEntry | undefined {
  if (text[0] !== '{' || (text.at(-1) !== '}' && !text.trimEnd().endsWith('}'))) return undefined;
  const object = parseObject(text);
  if (!object) return undefined;
  const messageKey = messageKeys.find((key) => typeof object[key] === 'string');
  const levelKey = levelKeys.find((key) => isLevel(object[key]));
  if (messageKey === undefined && levelKey === undefined) return undefined;
  const stack = findStack(object);
  const fields: Record<string, unknown> = {};
  // A loop without intermediate arrays, because it runs for every line.
  for (const key of Object.keys(object)) {
    if (key === messageKey || key === levelKey || timeKeys.has(key)) continue;
    if (stack?.key !== key) fields[key] = object[key];
    else if (stack.rest !== undefined) fields[key] = stack.rest;
  }
  return {
    level: levelKey === undefined ? undefined : toLevel(object[levelKey]),
    message: messageKey === undefined ? '' : String(object[messageKey]),
    fields,
    stack: stack?.lines ?? [],
  };
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isLevel = (value: unknown) => typeof value === 'string' || typeof value === 'number';

function toLevel(value: unknown): string {
  const name = typeof value === 'number' ? numericLevels[value] : undefined;
  return name ?? String(value).toLowerCase();
}
