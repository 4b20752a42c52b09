import type { Duplex } from 'node:stream';
import { waitForFirst } from './first-event.ts';

/**
 * Reads the first bytes of a connection until there are enough, its other side has ended, or nothing has come for the
 * timeout, in milliseconds. The connection stays open, and these bytes are not put back.
 */
export async function readStart(
  connection: Duplex,
  isEnough: (bytes: Buffer) => boolean,
  timeout?: number,
): Promise<Buffer> {
  let bytes = Buffer.alloc(0);
  while (!isEnough(bytes) && !connection.readableEnded && !connection.destroyed) {
    const chunk: Buffer | null = connection.read();
    if (chunk) bytes = Buffer.concat([bytes, chunk]);
    else if (!(await waitForFirst([connection], timeout))) break;
  }
  return bytes;
}
