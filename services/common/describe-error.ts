/** One line that says what went wrong, also for errors that keep it in their parts or in their cause. */
export function describeError(error: unknown): string {
  // Node tries each address of a name and rejects with an AggregateError whose own message is empty.
  if (error instanceof AggregateError && error.errors.length > 0) return describeError(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  // fetch says only "fetch failed" and keeps the reason in the cause.
  if (error.message === 'fetch failed' && error.cause !== undefined) return describeError(error.cause);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return (error.message || code || error.name).split('\n', 1)[0] as string;
}
