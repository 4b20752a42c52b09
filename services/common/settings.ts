/** Configuration that is missing or wrong: every problem, not only the first. */
class SettingsError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`configuration: ${problems.join('; ')}`);
    this.name = 'SettingsError';
    this.problems = problems;
  }
}

/**
 * A service's configuration, which comes from its environment alone. An empty variable counts as absent. A getter
 * that finds a problem keeps it and answers with something of the right type, so that `check` can name them all.
 */
export interface Settings {
  /** A variable that must be there. */
  text(key: string, options?: { readonly minBytes?: number }): string;
  optional(key: string): string | undefined;
  /** An http or other URL that must be there, without its trailing slashes. */
  url(key: string): string;
  /** SERVER_PORT, else PORT, one of which must be set: the charts' table of services has the port. */
  port(): number;
  /** A whole number of at least 1. */
  count(key: string, otherwise: number): number;
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
      problems.add(`${key} is ${Buffer.byteLength(value)} bytes long, at least ${minBytes} are needed`);
    return value ?? '';
  }

  function count(key: string, otherwise: number, max = Number.MAX_SAFE_INTEGER): number {
    const value = optional(key);
    if (value === undefined) return otherwise;
    if (/^\d+$/.test(value) && Number(value) >= 1 && Number(value) <= max) return Number(value);
    problems.add(`${key} is ${JSON.stringify(value)}, not a whole number from 1 to ${max}`);
    return otherwise;
  }

  return {
    text,
    optional,
    count,
    url(key) {
      const value = text(key);
      // The value may hold a password: it is never part of the message.
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
