/** Does a work while something is held that only one at a time can hold, such as a lock. */
export type WithLock = <T>(work: () => Promise<T>) => Promise<T>;

/** Lets works of this process that go on at the same time hold it together: the first takes it, the last gives it back. */
export function shareLock(hold: WithLock): WithLock {
  let holders = 0;
  let release = () => {};
  let taken = Promise.resolve();
  /** Until it is given back; what goes wrong with it, those who wait for `taken` hear of. */
  let over: Promise<unknown> = Promise.resolve();

  function take(): Promise<void> {
    const before = over;
    return new Promise((resolve, reject) => {
      over = before
        .then(() =>
          hold(
            () =>
              new Promise<void>((end) => {
                release = end;
                resolve();
              }),
          ),
        )
        .catch(reject);
    });
  }

  return async (work) => {
    holders += 1;
    if (holders === 1) taken = take();
    try {
      await taken;
      return await work();
    } finally {
      holders -= 1;
      if (holders === 0) release();
    }
  };
}
