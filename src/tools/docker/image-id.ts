import { getFromSocket } from './engine-socket.ts';
import { isAbsent, toFailure } from './responses.ts';

/** Milliseconds for the response. */
const timeout = 5_000;

/**
 * The ID of an image, through the engine's socket without the library; undefined when the engine does not have it.
 * @throws {Failure} when the engine does not respond.
 */
export async function findImageId(
  socket: string,
  reference: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const path = `/images/${reference}/json`;
    return (await getFromSocket<{ readonly Id: string }>(socket, path, { timeout, signal })).Id;
  } catch (error) {
    signal.throwIfAborted();
    if (isAbsent(error)) return undefined;
    throw toFailure(`image ${reference}`, error);
  }
}
