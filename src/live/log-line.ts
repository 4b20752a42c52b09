/** One line of a container's log. */
export interface LogLine {
  /** When it was written: RFC 3339 in UTC with nine digits after the point, so that texts compare as times do. */
  readonly time: string;
  readonly text: string;
}

/** `2026-11-23T12:00:00.123456789Z the text`, as the API server prints a line with its time. */
const timed = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z) (.*)$/s;

/** A line as it was printed; one without its time, such as the node's own word on a log it lost, gets `otherwise`. */
export function parseLogLine(line: string, otherwise: string): LogLine {
  const [, time, text] = timed.exec(line) ?? [];
  return time === undefined || text === undefined ? { time: otherwise, text: line } : { time, text };
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
  /** The lines that were not taken before; they are, now. */
  take(lines: readonly LogLine[]): readonly LogLine[];
}

/** A cursor at the start of a log, or right before what was written at the time `from`. */
export function createLogCursor(from?: string): LogCursor {
  let time = from;
  /** Lines of that very time that were taken. */
  let taken = 0;
  /** Of those, how many are still to come again after a rewind. */
  let again = 0;

  function isNew(line: LogLine): boolean {
    if (time === undefined || line.time > time) {
      time = line.time;
      taken = 1;
      again = 0;
      return true;
    }
    if (line.time < time) return false;
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
    },
    take: (lines) => lines.filter(isNew),
  };
}
