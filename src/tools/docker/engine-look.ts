import { withDeadline } from '../../lib/deadline.ts';
import { toDuration } from '../../lib/duration.ts';
import { exitCodes, Failure } from '../../lib/failure.ts';

export interface EngineLookOptions {
  /** Milliseconds for one response. */
  readonly timeout?: number;
  /** Milliseconds without any response until the engine counts as hung. */
  readonly limit?: number;
}

/**
 * Asks a container engine again and again whether it still responds. Each call resolves to the response, or to undefined
 * where there is none.
 * @throws {Failure} exit code 3 once the engine has not responded for `limit`: a busy one may be slow.
 */
export function createEngineLook<T>(
  ask: (signal: AbortSignal) => Promise<T>,
  { timeout = 10_000, limit = 60_000 }: EngineLookOptions = {},
): () => Promise<T | undefined> {
  let silentSince: number | undefined;
  return async () => {
    const begin = performance.now();
    try {
      const response = await withDeadline({ timeout }, ask);
      silentSince = undefined;
      return response;
    } catch (error) {
      silentSince ??= begin;
      if (performance.now() - silentSince < limit) return undefined;
      throw new Failure(`the container engine has not responded for ${toDuration(limit)}`, {
        cause: error,
        hint: 'npm run doctor',
        exitCode: exitCodes.host,
      });
    }
  };
}
