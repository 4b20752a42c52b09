import type { SentLine, SentSource } from '../../src/dashboard/protocol.ts';

/** A line of a log, a gap, or a mark that the user has set. */
export interface Line {
  /** Rises with each line, also of other sources. */
  readonly number: number;
  /** Undefined for a mark. */
  readonly source: SentSource | undefined;
  readonly time: string;
  /** Index in `levels`. */
  readonly level: number;
  readonly text: string;
  /** Number of missing lines, -1 when unknown. */
  readonly gap?: number;
}

export interface LineFilter {
  readonly components: ReadonlySet<string>;
  /** The lowest level, by its index. */
  readonly level: number;
  readonly text: RegExp | undefined;
}

export const noFilter: LineFilter = { components: new Set(), level: 0, text: undefined };

/** Lines that are kept: beyond that the oldest are dropped. */
const maxLines = 100_000;
/** How many are dropped at once, since each drop moves all others. */
const dropped = 5_000;
/** Milliseconds for which lines are filtered before the page may draw. */
const slice = 25;

export interface LogBuffer {
  /** The lines to show. The same array, which grows: `version` tells of a change. */
  readonly shown: readonly Line[];
  /** All lines that are kept. */
  readonly size: number;
  add(sources: ReadonlyMap<number, SentSource>, lines: readonly SentLine[]): void;
  mark(): void;
  clear(): void;
  /** Shows the lines that pass. Resolves when all have been looked at, or another filter was set. */
  setFilter(filter: LineFilter): Promise<void>;
}

/** Lines in the order in which they came, and those of them that pass a filter. */
export function createLogBuffer({ limit = maxLines }: { readonly limit?: number } = {}): LogBuffer {
  let lines: Line[] = [];
  let shown: Line[] = [];
  let filter = noFilter;
  let last = 0;
  /** Lines before this one have been filtered. */
  let filtered = 0;
  let turn = 0;

  function passes({ source, level, text, gap }: Line): boolean {
    if (source === undefined) return true;
    if (filter.components.size > 0 && !filter.components.has(source.component)) return false;
    if (gap !== undefined) return true;
    return level >= filter.level && (filter.text === undefined || filter.text.test(text));
  }

  function push(line: Line): void {
    // While an earlier filter run is under way, it comes to this line itself.
    const isFiltered = filtered === lines.length;
    lines.push(line);
    if (!isFiltered) return;
    filtered++;
    if (passes(line)) shown.push(line);
  }

  function trim(): void {
    if (lines.length <= limit + Math.min(dropped, limit / 4)) return;
    const gone = lines.length - limit;
    lines = lines.slice(gone);
    filtered = Math.max(0, filtered - gone);
    const [first] = lines;
    const at = shown.findIndex(({ number }) => number >= (first?.number ?? 0));
    shown = at === -1 ? [] : shown.slice(at);
  }

  return {
    get shown() {
      return shown;
    },
    get size() {
      return lines.length;
    },
    add(sources, sent) {
      for (const [index, time, level, text, gap] of sent) {
        const line = { number: ++last, source: sources.get(index), time, level, text };
        push(gap === undefined ? line : { ...line, gap });
      }
      trim();
    },
    mark() {
      push({ number: ++last, source: undefined, time: new Date().toISOString(), level: 0, text: '' });
    },
    clear() {
      turn++;
      lines = [];
      shown = [];
      filtered = 0;
    },
    async setFilter(wanted) {
      filter = wanted;
      const own = ++turn;
      shown = [];
      filtered = 0;
      while (own === turn && filtered < lines.length) {
        const end = performance.now() + slice;
        while (filtered < lines.length && performance.now() < end) {
          // A thousand at once, since asking for the time costs more than a line.
          for (const stop = Math.min(lines.length, filtered + 1000); filtered < stop; filtered++) {
            const line = lines[filtered];
            if (line && passes(line)) shown.push(line);
          }
        }
        if (filtered < lines.length) await yieldToPage();
      }
    },
  };
}

/** Lets the page draw and take input. */
function yieldToPage(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/**
 * The pattern of what the user typed: `/regex/` as such, anything else as text in upper or lower case.
 * Undefined for nothing. @throws {SyntaxError} for an invalid regular expression.
 */
export function toPattern(text: string): RegExp | undefined {
  if (text === '') return undefined;
  const [, source, flags] = /^\/(.+)\/(i?)$/.exec(text) ?? [];
  if (source !== undefined) return new RegExp(source, flags);
  return new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'i');
}
