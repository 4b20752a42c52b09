/** Returns a function that runs at most `most` works at once, and the others after them in their order. */
export function createLimit(most: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = most;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      // Whoever comes next takes over this place.
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}
