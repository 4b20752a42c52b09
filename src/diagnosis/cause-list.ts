import type { Finding } from './finding.ts';

/** One reason why something is not ready or does not answer. */
export interface Cause extends Pick<Finding, 'state' | 'line' | 'evidence' | 'next'> {
  /** The part that it lies in, or `node <name>`, `dns`, `ingress`; undefined where it lies in several. */
  readonly about: string | undefined;
  /** The end of the log that tells more. */
  readonly log?: string;
  /** Names of the parts that are not ready, or are not reached, because of it. */
  readonly affects: readonly string[];
}

/** What a finding says, as a cause that lies in `about`. */
export function toCause(
  about: string | undefined,
  { state, line, evidence, next }: Pick<Finding, 'state' | 'line' | 'evidence' | 'next'>,
  log?: string,
): Omit<Cause, 'affects'> {
  return {
    ...{ about, state, line },
    ...(evidence === undefined ? {} : { evidence }),
    ...(log === undefined ? {} : { log }),
    ...(next === undefined ? {} : { next }),
  };
}

export interface CauseList {
  /** Notes a cause under a key, or the parts that one of before has hit, too. */
  add(key: string, cause: Omit<Cause, 'affects'>, parts: readonly string[]): void;
  /** Whether there are causes under any of these keys; they are the part's, then. */
  blame(keys: readonly string[], part: string): boolean;
  /** The keys of what is behind the state of parts. */
  keysOf(parts: readonly string[]): readonly string[];
  /** What hits most comes first, then what will not heal, then what was noted first. */
  ranked(): readonly Cause[];
}

/** The causes found so far: what is behind several parts is there once. */
export function createCauseList(): CauseList {
  const causes = new Map<string, { readonly cause: Omit<Cause, 'affects'>; readonly affects: Set<string> }>();

  function blame(keys: readonly string[], part: string): boolean {
    const known = keys.flatMap((key) => causes.get(key) ?? []);
    for (const { affects } of known) affects.add(part);
    return known.length > 0;
  }

  return {
    add(key, cause, parts) {
      const { cause: known = cause, affects = new Set<string>() } = causes.get(key) ?? {};
      // The same in several parts lies in none of them alone.
      const about = known.about === cause.about ? known.about : undefined;
      causes.set(key, { cause: { ...known, about }, affects });
      for (const part of parts) blame([key], part);
    },
    blame,
    keysOf: (parts) =>
      [...causes].filter(([, { affects }]) => parts.some((part) => affects.has(part))).map(([key]) => key),
    ranked: () =>
      [...causes.values()]
        .map(({ cause, affects }) => ({ ...cause, affects: [...affects] }))
        .toSorted(
          (one, other) =>
            other.affects.length - one.affects.length ||
            Number(one.state === 'waiting') - Number(other.state === 'waiting'),
        ),
  };
}
