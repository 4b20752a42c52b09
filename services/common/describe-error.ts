/** One line that describes an error, by its cause or first inner error if its own message is empty. */
export function describeError(error: unknown): string {
  // Node tries each address of a host and rejects with an AggregateError without a message.
  if (error instanceof AggregateError && error.errors.length > 0) return describeError(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  // The message of fetch is always "fetch failed"; the cause has the reason.
  if (error.message === 'fetch failed' && error.cause !== undefined) return describeError(error.cause);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return (error.message || code || error.name).split('\n', 1)[0] as string;
}
