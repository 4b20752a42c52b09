import { request } from 'node:http';
import { isTimeout, withDeadline } from '../lib/deadline.ts';

/** Milliseconds until an answer must have begun. */
const timeout = 1_000;

/**
 * The HTTP status with which an address of this machine answers a GET; no redirect is followed, no proxy asked.
 * @throws {Error} whose message says why there was no answer.
 */
export async function askHttpStatus(url: string, signal: AbortSignal): Promise<number> {
  try {
    return await withDeadline(
      { timeout, signal },
      (limited) =>
        new Promise<number>((resolve, reject) => {
          request(url, { signal: limited, agent: false }, (response) => {
            resolve(response.statusCode ?? 0);
            response.destroy();
          })
            .on('error', reject)
            .end();
        }),
    );
  } catch (error) {
    signal.throwIfAborted();
    throw isTimeout(error) ? error : new Error(toReason(error));
  }
}

/** Node tries each address of a name, and says nothing of its own when none answers. */
function toReason(error: unknown): string {
  const [first] = error instanceof AggregateError ? error.errors : [error];
  return first instanceof Error ? first.message : String(first);
}
