import type { ClientRequest, IncomingMessage } from 'node:http';

/** The body of a client's request, on its way to the server that responds to it. */
export interface BufferedBody {
  /** Sends what was read so far, then the rest; reads only as fast as the server accepts it. */
  sendTo(upstream: ClientRequest): void;
  /** Pauses: nothing is read or sent until the next `sendTo`. */
  stop(): void;
  /** Whether all that was read is still buffered, so that it can be sent to another server. */
  isWhole(): boolean;
}

/** Bytes of a body that are buffered until a server has responded. */
const maxBuffered = 64 * 1024;

/** Buffers what is sent, for a second attempt. Reads nothing before that: until then the data waits in the socket. */
export function bufferBody(request: IncomingMessage): BufferedBody {
  let buffered: Buffer[] | undefined = [];
  let size = 0;
  let isReading = false;
  let hasEnded = false;
  let target: ClientRequest | undefined;

  function read(): void {
    isReading = true;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBuffered) buffered = undefined;
      buffered?.push(chunk);
      if (target?.write(chunk) !== true) request.pause();
    });
    request.on('end', () => {
      hasEnded = true;
      target?.end();
    });
  }

  return {
    sendTo(upstream) {
      target = upstream;
      for (const chunk of buffered ?? []) upstream.write(chunk);
      if (hasEnded) upstream.end();
      upstream.on('drain', () => request.resume());
      if (!isReading) read();
      request.resume();
    },
    stop() {
      target = undefined;
      request.pause();
    },
    isWhole: () => buffered !== undefined,
  };
}
