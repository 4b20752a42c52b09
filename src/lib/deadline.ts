export interface Deadline {
  /** Milliseconds. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs `work` with a signal that is aborted with `signal`, or after the timeout. Rejects with the signal's reason then, or
 * with a TimeoutError (`isTimeout`), whichever error `work` throws.
 * In place of `AbortSignal.any([signal, AbortSignal.timeout(n)])`, whose timer Node 20 loses to garbage collection.
 */
export async function withDeadline<T>(
  { timeout, signal }: Deadline,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const forward = () => controller.abort(signal?.reason);
  if (signal?.aborted) forward();
  signal?.addEventListener('abort', forward, { once: true });
  const timer = setTimeout(
    () => controller.abort(new DOMException(`no response in ${timeout / 1000} s`, 'TimeoutError')),
    timeout,
  );
  try {
    return await work(controller.signal);
  } catch (error) {
    controller.signal.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', forward);
  }
}

/** Whether the error is a timeout of `withDeadline`. */
export function isTimeout(error: unknown): error is DOMException {
  return error instanceof DOMException && error.name === 'TimeoutError';
}
