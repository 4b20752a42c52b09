/** One line of a container's log. */
export interface LogLine {
  /** Time of writing: RFC 3339 in UTC with nine decimal places, so that string order is time order. */
  readonly time: string;
  readonly text: string;
  /** Marks a place where lines are or may be missing; `text` describes it. */
  readonly isGap?: true;
  /** Number of missing lines in a gap; undefined when unknown. */
  readonly missing?: number;
}

/** Length of `2026-11-23T12:00:00.123456789Z`. */
const timeLength = 30;

/**
 * Parses `2026-11-23T12:00:00.123456789Z the text`, the API server's format for lines with timestamps. A line without a
 * timestamp, such as the kubelet's own error message about a lost log, gets `fallbackTime`.
 */
export function parseLogLine(line: string, fallbackTime: string): LogLine {
  // Compares characters instead of a regular expression, because it runs for every line.
  const isTimed =
    line[timeLength] === ' ' && line[timeLength - 1] === 'Z' && line[10] === 'T' && line[4] === '-';
  if (!isTimed) return { time: fallbackTime, text: line };
  return { time: line.slice(0, timeLength), text: line.slice(timeLength + 1) };
}

/** Converts milliseconds since the epoch to the format of `LogLine.time`. */
export function toLogTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('Z', '000000Z');
}

/** The position in a log, so that reading can resume after an interruption. */
export interface LogCursor {
  /** Time of the last line that was read, else the start time if one was given. */
  readonly time: string | undefined;
  /** Call this before reading again from the second of `time`: the same log, or the log of the next run. */
  rewind(target: 'same-run' | 'next-run'): void;
  /**
   * Returns the lines that are new and advances the position. When the same log is read again and the last known line
   * is no longer in it, the node has rotated it away, perhaps with later lines: a gap is inserted there.
   */
  take(lines: readonly LogLine[]): readonly LogLine[];
}

/** A cursor at the start of a log, or at the time `from`. */
export function createLogCursor(from?: string): LogCursor {
  let time = from;
  /** Number of lines read with exactly this time. */
  let taken = 0;
  /** How many of these lines are still expected again after a rewind. */
  let remainingRepeats = 0;
  /** Whether lines are expected again and none of them has been seen yet. */
  let mayHaveGap = false;

  function isNew(line: LogLine): boolean {
    if (time === undefined || line.time > time) {
      time = line.time;
      taken = 1;
      remainingRepeats = 0;
      return true;
    }
    if (line.time < time) return false;
    mayHaveGap = false;
    if (remainingRepeats > 0) {
      remainingRepeats--;
      return false;
    }
    taken++;
    return true;
  }

  return {
    get time() {
      return time;
    },
    rewind(target) {
      remainingRepeats = target === 'same-run' ? taken : 0;
      mayHaveGap = target === 'same-run' && taken > 0;
    },
    take(lines) {
      const newLines: LogLine[] = [];
      for (const line of lines) {
        if (!line.isGap && !isNew(line)) continue;
        if (!line.isGap && mayHaveGap) newLines.push(toGap(line.time));
        newLines.push(line);
        mayHaveGap = false;
      }
      return newLines;
    },
  };
}

/** A gap before this time: an unknown number of lines that the node lost, or `missing` lines that were not shown. */
export function toGap(time: string, missing?: number): LogLine {
  if (missing === undefined) return { time, text: '-- gap --', isGap: true };
  const text = `-- gap: ${missing} lines not shown, the output is slower than the log --`;
  return { time, text, isGap: true, missing };
}
