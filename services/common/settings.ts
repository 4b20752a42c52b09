/** All problems of the configuration. */
class SettingsError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`configuration: ${problems.join('; ')}`);
    this.name = 'SettingsError';
    this.problems = problems;
  }
}

/**
 * A service's configuration from environment variables. An empty variable counts as not set. A getter that finds a
 * problem records it and returns a placeholder, so that `check` can report all problems at once.
 */
export interface Settings {
  /** A required variable. */
  text(key: string, options?: { readonly minBytes?: number }): string;
  optional(key: string): string | undefined;
  /** A required URL, without trailing slashes. */
  url(key: string): string;
  /** SERVER_PORT, else PORT, one of which is required: the charts set it from the table of services. */
  port(): number;
  /** An integer of at least 1. */
  count(key: string, fallback: number): number;
  /** @throws {SettingsError} when any getter found a problem. */
  check(): void;
}

export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const problems = new Set<string>();
  const optional = (key: string) => env[key] || undefined;

  function text(key: string, { minBytes = 1 }: { readonly minBytes?: number } = {}): string {
    const value = optional(key);
    if (value === undefined) problems.add(`${key} is not set`);
    else if (Buffer.byteLength(value) < minBytes)
      problems.add(`${key} is ${Buffer.byteLength(value)} bytes long, minimum is ${minBytes}`);
    return value ?? '';
  }

  function count(key: string, fallback: number, max = Number.MAX_SAFE_INTEGER): number {
    const value = optional(key);
    if (value === undefined) return fallback;
    if (/^\d+$/.test(value) && Number(value) >= 1 && Number(value) <= max) return Number(value);
    problems.add(`${key} is ${JSON.stringify(value)}, not an integer from 1 to ${max}`);
    return fallback;
  }

  return {
    text,
    optional,
    count,
    url(key) {
      const value = text(key);
      // The value may contain a password, so the message omits it.
      if (value !== '' && !URL.canParse(value)) problems.add(`${key} is not a URL`);
      return value.replace(/\/+$/, '');
    },
    port() {
      const key = optional('SERVER_PORT') === undefined ? 'PORT' : 'SERVER_PORT';
      text(key);
      return count(key, 0, 65_535);
    },
    check() {
      if (problems.size > 0) throw new SettingsError([...problems]);
    },
  };
}
