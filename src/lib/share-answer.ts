/** Asks, or takes an answer that another caller is getting, or got at most `maxAge` milliseconds ago (0: none of those). */
export type SharedAnswer<T> = (signal: AbortSignal, maxAge?: number) => Promise<T>;

/** Lets callers that ask the same at about the same time share one question. A failed answer is not kept. */
export function shareAnswer<T>(ask: (signal: AbortSignal) => Promise<T>): SharedAnswer<T> {
  let last: { readonly answer: Promise<T>; readonly at: number } | undefined;
  let asking = false;

  return (signal, maxAge = 0) => {
    if (last && (asking || performance.now() - last.at <= maxAge)) return last.answer;
    asking = true;
    const answer = ask(signal).finally(() => {
      asking = false;
      if (last?.answer === answer) last = { answer, at: performance.now() };
    });
    answer.catch(() => {
      if (last?.answer === answer) last = undefined;
    });
    last = { answer, at: performance.now() };
    return answer;
  };
}
