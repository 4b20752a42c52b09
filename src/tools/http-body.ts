import type { ClientRequest, IncomingMessage } from 'node:http';

/** The body of a client's request, on its way to who answers it. */
export interface HeldBody {
  /** Sends what was read so far and the rest; read only as fast as it is taken. */
  sendTo(asked: ClientRequest): void;
  /** It goes nowhere for now. */
  stop(): void;
  /** Whether all that was read of it is still here, so that it can be sent to somebody else. */
  isWhole(): boolean;
}

/** Bytes that are held until somebody has answered. */
const mostHeld = 64 * 1024;

/** Reads nothing before it is to be sent: what waits, waits in the system. */
export function holdBody(request: IncomingMessage): HeldBody {
  let held: Buffer[] | undefined = [];
  let size = 0;
  let isRead = false;
  let hasEnded = false;
  let target: ClientRequest | undefined;

  function read(): void {
    isRead = true;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > mostHeld) held = undefined;
      held?.push(chunk);
      if (target?.write(chunk) !== true) request.pause();
    });
    request.on('end', () => {
      hasEnded = true;
      target?.end();
    });
  }

  return {
    sendTo(asked) {
      target = asked;
      for (const chunk of held ?? []) asked.write(chunk);
      if (hasEnded) asked.end();
      asked.on('drain', () => request.resume());
      if (!isRead) read();
      request.resume();
    },
    stop() {
      target = undefined;
      request.pause();
    },
    isWhole: () => held !== undefined,
  };
}
