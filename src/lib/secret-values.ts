/**
 * The secrets this process has read or generated. One set for the whole process, so that code that prints need not know
 * which code reads secrets.
 */
const hidden = new Set<string>();

/** Values that are not hidden: they may be ordinary words of the output, and are easy to guess. */
const guessable = /^(?:.{0,7}|[a-z-]{0,15})$/s;

/** From now on `scrubSecrets` replaces these values, also as base64 and percent-encoded, except guessable ones. */
export function hideSecrets(values: Iterable<string>): void {
  for (const value of values) {
    if (guessable.test(value)) continue;
    hidden.add(value);
    hidden.add(encodeURIComponent(value));
    hidden.add(Buffer.from(value).toString('base64'));
    hidden.add(Buffer.from(value).toString('base64url'));
  }
}

/** `text` with each hidden value replaced by `***`. */
export function scrubSecrets(text: string): string {
  let scrubbed = text;
  for (const value of hidden) scrubbed = scrubbed.replaceAll(value, '***');
  return scrubbed;
}
