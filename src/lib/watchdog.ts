import { setMaxListeners } from 'node:events';

/**
 * Runs a call with a signal that is aborted with `signal`, and as soon as the call can no longer end. Rejects then with
 * the reason, whichever error the call throws.
 */
export type Watch = <T>(
  signal: AbortSignal | undefined,
  call: (signal: AbortSignal) => Promise<T>,
) => Promise<T>;

/** Rejects when running calls can no longer end. */
export type Look = () => Promise<void>;

/**
 * A watch that looks at an interval (milliseconds) while calls are running; `begin` is called when the first of them
 * begins. What a look throws ends the calls that began before it. A call that is shorter than the interval costs nothing.
 */
export function createWatch(begin: () => Look, interval: number): Watch {
  const calls = new Set<AbortController>();
  let look: Look = async () => {};
  let timer: NodeJS.Timeout | undefined;
  let isLooking = false;

  function schedule(): void {
    if (timer === undefined && !isLooking) timer = setTimeout(() => void lookNow(), interval);
  }

  async function lookNow(): Promise<void> {
    timer = undefined;
    isLooking = true;
    // Calls that begin meanwhile may have been preceded by the repair of what this look sees.
    const watched = [...calls];
    try {
      await look();
    } catch (error) {
      for (const call of watched) call.abort(error);
    } finally {
      isLooking = false;
    }
    if (calls.size > 0) schedule();
  }

  return async (signal, call) => {
    signal?.throwIfAborted();
    const controller = new AbortController();
    // A call may run many programs at once, each of which adds a listener.
    setMaxListeners(0, controller.signal);
    const forward = () => controller.abort(signal?.reason);
    signal?.addEventListener('abort', forward, { once: true });
    if (calls.size === 0) look = begin();
    calls.add(controller);
    schedule();
    try {
      return await call(controller.signal);
    } catch (error) {
      controller.signal.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener('abort', forward);
      calls.delete(controller);
      if (calls.size === 0) {
        clearTimeout(timer);
        timer = undefined;
      }
    }
  };
}
