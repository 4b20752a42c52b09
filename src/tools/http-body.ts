import type { ClientRequest, IncomingMessage } from 'node:http';

/** The body of a client's request, on its way to who answers it. */
export interface BufferedBody {
  /** Sends what was read so far and the rest; read only as fast as it is taken. */
  sendTo(upstream: ClientRequest): void;
  /** It goes nowhere for now. */
  stop(): void;
  /** Whether all that was read of it is still here, so that it can be sent to somebody else. */
  isWhole(): boolean;
}

/** Bytes that are held until somebody has answered. */
const maxBuffered = 64 * 1024;

/** Reads nothing before it is to be sent: what waits, waits in the system. */
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
