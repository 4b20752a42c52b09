/**
 * Settles like `use`, or rejects after `timeout` milliseconds or when one of `signals` is aborted; the signal passed to
 * `use` is aborted then as well. It replaces `AbortSignal.any` with `AbortSignal.timeout`: Node 20 garbage-collects a
 * timeout signal that only a combined signal refers to, so that it never fires (nodejs/node#57736).
 */
export async function withDeadline<T>(
  timeout: number,
  signals: readonly AbortSignal[],
  use: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const aborted = new Promise<never>((_resolve, reject) => {
    controller.signal.addEventListener('abort', () => reject(controller.signal.reason), { once: true });
  });
  const timer = setTimeout(() => controller.abort(new Error(`timeout after ${timeout} ms`)), timeout);
  const listeners = signals.map((signal) => {
    const onAbort = () => controller.abort(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    return () => signal.removeEventListener('abort', onAbort);
  });
  try {
    return await Promise.race([aborted, use(controller.signal)]);
  } finally {
    clearTimeout(timer);
    for (const stopListening of listeners) stopListening();
  }
}
