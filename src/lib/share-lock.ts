/** Runs `work` while an exclusive resource, such as a lock, is held. */
export type WithLock = <T>(work: () => Promise<T>) => Promise<T>;

/** Lets concurrent work of this process share the lock: the first acquires it, the last releases it. */
export function shareLock(hold: WithLock): WithLock {
  let holders = 0;
  let release = () => {};
  let taken = Promise.resolve();
  /** Resolves once the lock is released; an error of acquiring it rejects `taken`. */
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
