import { abortable } from './abortable.ts';

/**
 * The answer to a request that began after this call, or at most `maxAge` milliseconds before it (0 when not given).
 * Rejects with what the request threw, or with the signal's reason as soon as the signal is aborted.
 */
export type SharedAnswer<T> = (signal: AbortSignal, maxAge?: number) => Promise<T>;

interface SharedRequest<T> {
  readonly answer: Promise<T>;
  /** On the monotonic clock; undefined until the request is sent. */
  began?: number;
  /** Number of callers that wait for the answer. */
  waiting: number;
  readonly abort: AbortController;
}

/**
 * Lets callers share the requests that `ask` sends: at most one runs, and one more waits for it to end. A failed request
 * is not cached, and one that all its callers have given up is aborted.
 */
export function shareAnswer<T>(ask: (signal: AbortSignal) => Promise<T>): SharedAnswer<T> {
  /** Running or ended. */
  let last: SharedRequest<T> | undefined;
  /** Sent when `last` has ended. */
  let next: SharedRequest<T> | undefined;

  // An earlier request may show an earlier state: a rollout that has just begun must not look finished.
  function findShared(maxAge: number): SharedRequest<T> | undefined {
    const isYoung = last?.began !== undefined && performance.now() - last.began < maxAge;
    return [isYoung ? last : undefined, next].find((request) => request && !request.abort.signal.aborted);
  }

  function prepare(): SharedRequest<T> {
    const abort = new AbortController();
    const previous = last?.answer;
    const request: SharedRequest<T> = { answer: answer(), waiting: 0, abort };
    next = request;
    return request;

    async function answer(): Promise<T> {
      // Its error is reported to its own callers.
      await previous?.catch(() => undefined);
      // Callers of the same turn can still join.
      await Promise.resolve();
      last = request;
      if (next === request) next = undefined;
      try {
        request.began = performance.now();
        return await ask(abort.signal);
      } catch (error) {
        if (last === request) last = undefined;
        throw error;
      }
    }
  }

  return async (signal, maxAge = 0) => {
    signal.throwIfAborted();
    const request = findShared(maxAge) ?? prepare();
    request.waiting++;
    try {
      return await abortable(request.answer, signal);
    } finally {
      request.waiting--;
      if (signal.aborted && request.waiting === 0) request.abort.abort(signal.reason);
    }
  };
}
