import { signal } from '@preact/signals';
import type { FailureView, LogQuery, SentSource } from '../../src/dashboard/protocol.ts';
import { readLog } from '../connection.ts';
import { createLogBuffer, type LogBuffer } from './log-buffer.ts';

export interface LogReader {
  readonly buffer: LogBuffer;
  /** Changes whenever the lines of the buffer do, at most once per frame. */
  readonly version: { readonly value: number };
  readonly failure: { readonly value: FailureView | undefined };
  /** Draws no new lines until it is called with false. */
  setPaused(isPaused: boolean): void;
  /** Draws again, as after another filter. */
  draw(): void;
  end(): void;
}

/** Lines that the tab takes before it has drawn them. */
const credit = 4_000;
/** Lines that are kept while the view is paused: after that the program counts what it leaves out. */
const pausedCredit = 40_000;

/** Reads logs into a buffer, and takes no more than it can draw. */
export function openLogReader(query: LogQuery): LogReader {
  const buffer = createLogBuffer();
  const version = signal(0);
  const failure = signal<FailureView | undefined>(undefined);
  const sources = new Map<number, SentSource>();
  let taken = 0;
  let isPaused = false;
  /** Lines that may still come while the view is paused. */
  let left = 0;
  let frame: number | undefined;

  const log = readLog(
    () => {
      // The connection was lost: the program numbers its sources anew, and sends the last lines again.
      sources.clear();
      buffer.clear();
      taken = 0;
      failure.value = undefined;
      queueMicrotask(() => log.credit(credit));
      return query;
    },
    (message) => {
      if (message.type === 'lines-end') {
        failure.value = message.error;
        drawSoon();
        return;
      }
      for (const [index, source] of Object.entries(message.sources ?? {})) sources.set(Number(index), source);
      buffer.add(sources, message.lines);
      taken += message.lines.length;
      drawSoon();
    },
  );

  function drawSoon(): void {
    frame ??= requestAnimationFrame(() => {
      frame = undefined;
      const given = isPaused ? Math.min(taken, left) : taken;
      if (given > 0) log.credit(given);
      taken -= given;
      left -= given;
      version.value++;
    });
  }

  return {
    buffer,
    version,
    failure,
    setPaused(value) {
      isPaused = value;
      left = pausedCredit;
      drawSoon();
    },
    draw: drawSoon,
    end() {
      if (frame !== undefined) cancelAnimationFrame(frame);
      log.end();
    },
  };
}
