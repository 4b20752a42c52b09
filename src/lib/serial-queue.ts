/** Runs what it is given one after the other, in the order of the calls. */
export type SerialQueue = <T>(work: () => Promise<T>, onWait?: () => void) => Promise<T>;

/** `onWait` is called when `work` has to wait for an earlier one. One that fails does not stop the next. */
export function createSerialQueue(): SerialQueue {
  let unfinished = 0;
  let last: Promise<unknown> = Promise.resolve();
  return async (work, onWait) => {
    if (unfinished > 0) onWait?.();
    unfinished += 1;
    const result = last.then(work).finally(() => {
      unfinished -= 1;
    });
    last = result.catch(() => {});
    return result;
  };
}
