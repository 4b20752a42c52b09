import { PassThrough } from 'node:stream';
import type { Reply, Request } from './route.ts';

/** Milliseconds between two signs of life; a proxy ends what is silent for longer. */
const heartbeat = 15_000;
/** Bytes that may wait for a slow reader before it is cut off. */
const backlogLimit = 1024 * 1024;

export interface EventStream {
  readonly reply: Reply;
  send(event: string, data: unknown): void;
}

/** Server-sent events, until the caller leaves or `stopping` is aborted; `onEnd` runs once. */
export function eventStream({ signal }: Request, stopping: AbortSignal, onEnd: () => void): EventStream {
  const body = new PassThrough();
  const write = (text: string) => {
    if (!body.writable) return;
    if (body.writableLength + body.readableLength > backlogLimit) body.destroy();
    else body.write(text);
  };
  const beat = setInterval(() => write(': still here\n\n'), heartbeat).unref();
  const end = () => {
    signal.removeEventListener('abort', end);
    stopping.removeEventListener('abort', end);
    clearInterval(beat);
    onEnd();
    body.end();
  };
  signal.addEventListener('abort', end);
  stopping.addEventListener('abort', end);
  if (signal.aborted || stopping.aborted) end();

  write('retry: 1000\n\n');
  return {
    reply: {
      // no-transform, and the header that nginx reads: an event must not wait in a buffer.
      headers: {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-cache, no-transform',
        'x-accel-buffering': 'no',
      },
      body,
    },
    send: (event, data) => write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`),
  };
}
