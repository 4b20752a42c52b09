import { once } from 'node:events';
import type { Duplex } from 'node:stream';

/**
 * Reads the first bytes of a connection until there are enough, or its other side has ended. The connection stays open,
 * and these bytes are not put back.
 */
export async function readStart(connection: Duplex, isEnough: (bytes: Buffer) => boolean): Promise<Buffer> {
  let bytes = Buffer.alloc(0);
  while (!isEnough(bytes) && !connection.readableEnded && !connection.destroyed) {
    const chunk: Buffer | null = connection.read();
    if (chunk) bytes = Buffer.concat([bytes, chunk]);
    else await Promise.race(['readable', 'end', 'close'].map((event) => once(connection, event)));
  }
  return bytes;
}
