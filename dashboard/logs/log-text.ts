import { parseLogEntry } from '../../src/logs/log-entry.ts';
import type { Line } from './log-buffer.ts';

/** As in `src/logs/log-level.ts`, which is not loaded here: the program sends the index. */
export const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

export interface LineText {
  readonly message: string;
  /** The other fields of a line in JSON, and its stack. */
  readonly rest: string;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: an escape is what it looks for.
const escapes = /\x1b\[[\d;?]*[A-Za-z]/g;

/** What is shown of a line: of one in JSON the message first. */
export function toLineText({ text, source, gap }: Line): LineText {
  if (source === undefined) return { message: '', rest: '' };
  const entry = gap === undefined ? parseLogEntry(text) : undefined;
  if (!entry) return { message: text.replace(escapes, ''), rest: '' };
  const fields = Object.entries(entry.fields)
    // The second column has it.
    .filter(([key, value]) => key !== 'service' || value !== source.component)
    .map(([key, value]) => `${key}=${toValue(value)}`);
  const stack = entry.stack.length === 0 ? [] : ['', ...entry.stack];
  return { message: entry.message, rest: [fields.join(' '), ...stack].join('\n') };
}

function toValue(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' && /^\S+$/.test(value) ? value : (JSON.stringify(value) ?? '');
}

/** The line as it is copied and saved: time, component, and what the program wrote. */
export function toPlainLine({ time, source, text }: Line): string {
  return source === undefined ? `${time}  ---- mark ----` : `${time}  ${source.component}  ${text}`;
}

/** The colour of a component, by its name, so that it stays the same in every list. */
export function toHue(component: string): number {
  let sum = 0;
  for (const letter of component) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 997;
  return sum % 6;
}
