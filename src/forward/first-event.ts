import type { Duplex } from 'node:stream';

const events = ['readable', 'end', 'close', 'error'] as const;

/**
 * The first of these streams that has something to read, ends or fails; undefined after the timeout, in milliseconds.
 * Nothing is read.
 */
export function waitForFirst(streams: readonly Duplex[], timeout?: number): Promise<Duplex | undefined> {
  return new Promise((resolve) => {
    const listeners = streams.map((stream) => ({ stream, onEvent: () => settle(stream) }));
    const timer = timeout === undefined ? undefined : setTimeout(() => settle(undefined), timeout);
    function settle(found: Duplex | undefined): void {
      clearTimeout(timer);
      for (const { stream, onEvent } of listeners) for (const event of events) stream.off(event, onEvent);
      resolve(found);
    }
    for (const { stream, onEvent } of listeners) for (const event of events) stream.on(event, onEvent);
    const first = streams.find((each) => each.destroyed || each.readableEnded || each.readableLength > 0);
    if (first) settle(first);
  });
}
