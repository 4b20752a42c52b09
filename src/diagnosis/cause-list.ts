import type { Finding } from './finding.ts';

/** One reason why components are not ready or do not respond. */
export interface Cause extends Pick<Finding, 'state' | 'line' | 'evidence' | 'next'> {
  /** The component at fault, or `node <name>`, `dns`, `ingress`; undefined for several components. */
  readonly about: string | undefined;
  /** The last lines of the log that shows more. */
  readonly log?: string;
  /** Names of the components that are not ready, or not reachable, because of it. */
  readonly affects: readonly string[];
}

/** A finding as a cause in `about`. */
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
  /** Adds a cause under a key with the components that it affects; a known cause gets these components too. */
  add(key: string, cause: Omit<Cause, 'affects'>, components: readonly string[]): void;
  /** Adds the component to the causes with these keys; false when none of them is known. */
  blame(keys: readonly string[], component: string): boolean;
  /** Keys of the causes that affect any of these components. */
  keysOf(components: readonly string[]): readonly string[];
  /** The cause that affects most components first, then `failed` before `waiting`, then the one added first. */
  ranked(): readonly Cause[];
}

/** The causes found so far, each once, however many components it affects. */
export function createCauseList(): CauseList {
  const causes = new Map<string, { readonly cause: Omit<Cause, 'affects'>; readonly affects: Set<string> }>();

  function blame(keys: readonly string[], component: string): boolean {
    const known = keys.flatMap((key) => causes.get(key) ?? []);
    for (const { affects } of known) affects.add(component);
    return known.length > 0;
  }

  return {
    add(key, cause, components) {
      const { cause: known = cause, affects = new Set<string>() } = causes.get(key) ?? {};
      // The same cause in several components belongs to none of them alone.
      const about = known.about === cause.about ? known.about : undefined;
      causes.set(key, { cause: { ...known, about }, affects });
      for (const component of components) blame([key], component);
    },
    blame,
    keysOf: (components) =>
      [...causes]
        .filter(([, { affects }]) => components.some((name) => affects.has(name)))
        .map(([key]) => key),
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
