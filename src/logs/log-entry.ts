/** A line that a program wrote as JSON, taken apart. */
export interface LogEntry {
  readonly level: string | undefined;
  readonly message: string;
  /** All but the time, which every line has from the node. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What loggers call them. */
const messageKeys = ['message', 'msg', 'event'];
const levelKeys = ['level', 'severity', 'lvl', 'log.level', 'levelname'];
const timeKeys = new Set(['time', 'timestamp', '@timestamp', 'ts', 't']);

/** Of loggers that write numbers. */
const numbered: Readonly<Record<number, string>> = {
  ...{ 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' },
};

/** The entry in a line; undefined where it is not a JSON object with a message. */
export function parseLogEntry(text: string): LogEntry | undefined {
  if (text[0] !== '{' || (text.at(-1) !== '}' && !text.trimEnd().endsWith('}'))) return undefined;
  const object = parseObject(text);
  const messageKey = object && messageKeys.find((key) => typeof object[key] === 'string');
  if (!object || messageKey === undefined) return undefined;
  const levelKey = levelKeys.find((key) => object[key] !== undefined);
  const fields: Record<string, unknown> = {};
  // No lists in between: this is done for every line there is.
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
  const name = typeof value === 'number' ? numbered[value] : undefined;
  return name ?? String(value).toLowerCase();
}
