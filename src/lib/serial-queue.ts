/** Runs what it is given one after the other, in the order it came. */
export type Turns = <T>(work: () => Promise<T>, onWait?: () => void) => Promise<T>;

/** `onWait` is called when another one has its turn first. A work that fails does not hold the next. */
export function createTurns(): Turns {
  let waiting = 0;
  let last: Promise<unknown> = Promise.resolve();
  return async (work, onWait) => {
    if (waiting > 0) onWait?.();
    waiting += 1;
    const turn = last.then(work).finally(() => {
      waiting -= 1;
    });
    last = turn.catch(() => {});
    return turn;
  };
}
