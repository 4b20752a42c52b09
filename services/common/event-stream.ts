import { PassThrough } from 'node:stream';
import type { Reply, Request } from './route.ts';

/** Milliseconds between two comments that keep proxies from closing an idle connection. */
const heartbeatInterval = 15_000;
/** Bytes that may be buffered for a slow client before its connection is closed. */
const maxBacklogBytes = 1024 * 1024;

export interface EventStream {
  readonly reply: Reply;
  send(event: string, data: unknown): void;
}

/** Server-sent events until the client disconnects or `stopping` is aborted. `onEnd` is called once. */
export function eventStream({ signal }: Request, stopping: AbortSignal, onEnd: () => void): EventStream {
  const body = new PassThrough();
  const write = (text: string) => {
    if (!body.writable) return;
    if (body.writableLength + body.readableLength > maxBacklogBytes) body.destroy();
    else body.write(text);
  };
  const heartbeatTimer = setInterval(() => write(': keep-alive\n\n'), heartbeatInterval).unref();
  const end = () => {
    signal.removeEventListener('abort', end);
    stopping.removeEventListener('abort', end);
    clearInterval(heartbeatTimer);
    onEnd();
    body.end();
  };
  signal.addEventListener('abort', end);
  stopping.addEventListener('abort', end);
  if (signal.aborted || stopping.aborted) end();

  write('retry: 1000\n\n');
  return {
    reply: {
      // no-transform and the header for nginx prevent that proxies buffer events.
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
