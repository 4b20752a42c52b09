/** One line of a container's log. */
export interface LogLine {
  /** When it was written: RFC 3339 in UTC with nine digits after the point, so that texts compare as times do. */
  readonly time: string;
  readonly text: string;
  /** No line of the log: before the next one, some may be missing. */
  readonly isGap?: true;
  /** Of a gap, how many; undefined where nobody can tell. */
  readonly missing?: number;
}

/** Of `2026-11-23T12:00:00.123456789Z`. */
const timeLength = 30;

/**
 * `2026-11-23T12:00:00.123456789Z the text`, as the API server prints a line with its time. One without its time, such
 * as the node's own word on a log it lost, gets `otherwise`.
 */
export function parseLogLine(line: string, otherwise: string): LogLine {
  // Places in place of a pattern: this is done for every line there is.
  const isTimed =
    line[timeLength] === ' ' && line[timeLength - 1] === 'Z' && line[10] === 'T' && line[4] === '-';
  if (!isTimed) return { time: otherwise, text: line };
  return { time: line.slice(0, timeLength), text: line.slice(timeLength + 1) };
}

/** A time in milliseconds since the epoch, in the form of `LogLine.time`. */
export function toLogTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('Z', '000000Z');
}

/** How far a log has been read, so that reading can go on where it was broken off. */
export interface LogCursor {
  /** Time of the last line that was taken, else where reading starts, if it was given. */
  readonly time: string | undefined;
  /** To be called before reading from the second of `time` on: the same log again, or the one of the next run. */
  rewind(what: 'again' | 'next'): void;
  /**
   * The lines that were not taken before; they are, now. Where the same log, read again, does not show the last line
   * that was taken, the node has thrown it away, and what came after it perhaps, too: a gap stands there.
   */
  take(lines: readonly LogLine[]): readonly LogLine[];
}

/** A cursor at the start of a log, or right before what was written at the time `from`. */
export function createLogCursor(from?: string): LogCursor {
  let time = from;
  /** Lines of that very time that were taken. */
  let taken = 0;
  /** Of those, how many are still to come again after a rewind. */
  let again = 0;
  /** None of them has come again yet, and they should. */
  let isUnsure = false;

  function isNew(line: LogLine): boolean {
    if (time === undefined || line.time > time) {
      time = line.time;
      taken = 1;
      again = 0;
      return true;
    }
    if (line.time < time) return false;
    isUnsure = false;
    if (again > 0) {
      again--;
      return false;
    }
    taken++;
    return true;
  }

  return {
    get time() {
      return time;
    },
    rewind(what) {
      again = what === 'again' ? taken : 0;
      isUnsure = what === 'again' && taken > 0;
    },
    take(lines) {
      const fresh: LogLine[] = [];
      for (const line of lines) {
        if (!line.isGap && !isNew(line)) continue;
        if (!line.isGap && isUnsure) fresh.push(toGap(line.time));
        fresh.push(line);
        isUnsure = false;
      }
      return fresh;
    },
  };
}

/** The place of lines that are missing before this time: lost by the node, or as many as were not shown. */
export function toGap(time: string, missing?: number): LogLine {
  if (missing === undefined) return { time, text: '-- gap --', isGap: true };
  const text = `-- gap: ${missing} lines not shown, the output is slower than the log --`;
  return { time, text, isGap: true, missing };
}
