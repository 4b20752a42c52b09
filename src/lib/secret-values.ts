/**
 * The secrets this process has read or generated. One set for the whole process, so that code that prints need not know
 * which code reads secrets.
 */
const hidden = new Set<string>();

/** Values that are not hidden: they may be ordinary words of the output, and are easy to guess. */
const guessable = /^(?:.{0,7}|[a-z-]{0,15})$/s;

/** From now on `scrubSecrets` replaces these values, also as base64, percent-encoded and escaped for JSON, except guessable ones. */
export function hideSecrets(values: Iterable<string>): void {
  for (const value of values) {
    if (guessable.test(value)) continue;
    hidden.add(value);
    const asJson = toJson(value);
    hidden.add(asJson);
    hidden.add(toJson(asJson));
    hidden.add(encodeURIComponent(value));
    hidden.add(Buffer.from(value).toString('base64'));
    hidden.add(Buffer.from(value).toString('base64url'));
  }
}

/** The text as it stands between the quotes of a JSON string. */
function toJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** `text` with each hidden value replaced by `***`. */
export function scrubSecrets(text: string): string {
  let scrubbed = text;
  // The longest first: of one that holds another, nothing must remain.
  for (const value of [...hidden].sort((a, b) => b.length - a.length))
    scrubbed = scrubbed.replaceAll(value, '***');
  return scrubbed;
}
