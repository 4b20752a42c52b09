/** A log line that a program wrote as JSON, parsed. */
export interface LogEntry {
  readonly level: string | undefined;
  readonly message: string;
  /** All other fields except the time, since the node adds a time to every line. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Field names that common loggers use. */
const messageKeys = ['message', 'msg', 'event'];
const levelKeys = ['level', 'severity', 'lvl', 'log.level', 'levelname'];
const timeKeys = new Set(['time', 'timestamp', '@timestamp', 'ts', 't']);

/** Levels of loggers that write numbers, such as bunyan and pino. */
const numericLevels: Readonly<Record<number, string>> = {
  ...{ 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' },
};

/** Parses a line; undefined when it is not a JSON object with a message. */
export function parseLogEntry(text: string): LogEntry | undefined {
  if (text[0] !== '{' || (text.at(-1) !== '}' && !text.trimEnd().endsWith('}'))) return undefined;
  const object = parseObject(text);
  const messageKey = object && messageKeys.find((key) => typeof object[key] === 'string');
  if (!object || messageKey === undefined) return undefined;
  const levelKey = levelKeys.find((key) => object[key] !== undefined);
  const fields: Record<string, unknown> = {};
  // A loop without intermediate arrays, because it runs for every line.
  for (const key of Object.keys(object)) {
    if (key !== messageKey && key !== levelKey && !timeKeys.has(key)) fields[key] = object[key];
  }
  const level = levelKey === undefined ? undefined : toLevel(object[levelKey]);
  return { level, message: String(object[messageKey]), fields };
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function toLevel(value: unknown): string {
  const name = typeof value === 'number' ? numericLevels[value] : undefined;
  return name ?? String(value).toLowerCase();
}
