/** The stack trace in an object that a logger wrote. */
export interface LogStack {
  /** The field that has it. */
  readonly key: string;
  readonly lines: readonly string[];
  /** What else the field has; undefined when it is the stack alone. */
  readonly rest: object | undefined;
}

/** Fields that are the stack: winston and zerolog, zap, logback, ECS, Python's json-logger and structlog. */
const stackKeys = ['stack', 'stacktrace', 'stack_trace', 'error.stack_trace', 'exc_info', 'exception'];

/** Fields that are an error with its stack: pino, ECS, bunyan. */
const errorKeys = ['err', 'error', 'exception'];

/** Finds the stack trace; undefined when there is none. */
export function findStack(object: Readonly<Record<string, unknown>>): LogStack | undefined {
  for (const key of stackKeys) {
    const lines = toLines(object[key]);
    if (lines) return { key, lines, rest: undefined };
  }
  for (const key of errorKeys) {
    const error = object[key];
    if (typeof error !== 'object' || error === null) continue;
    const found = Object.entries(error).find(([name, value]) => stackKeys.includes(name) && toLines(value));
    if (!found) continue;
    const [stackKey, value] = found;
    const rest = Object.fromEntries(Object.entries(error).filter(([name]) => name !== stackKey));
    return { key, lines: toLines(value) ?? [], rest };
  }
  return undefined;
}

/** Undefined for what is no stack: a text of one line, or a list of anything else than frames. */
function toLines(value: unknown): readonly string[] | undefined {
  if (typeof value === 'string') return value.includes('\n') ? value.trimEnd().split('\n') : undefined;
  if (!Array.isArray(value) || value.length === 0 || !value.every(isFrame)) return undefined;
  return value.map(({ func, source, line }) => `${func} (${source}:${line})`);
}

/** A frame as zerolog writes it. */
interface Frame {
  readonly func: string;
  readonly source: string;
  readonly line: string | number;
}

function isFrame(value: unknown): value is Frame {
  return (
    typeof value === 'object' && value !== null && 'func' in value && 'source' in value && 'line' in value
  );
}
