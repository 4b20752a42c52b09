/** A source of random choices that repeats itself for the same seed. */
export interface Random {
  /** From 0 up to, but not including, 1. */
  fraction(): number;
  /** One of these. */
  pick<T>(items: readonly [T, ...T[]]): T;
  /** The same items in random order. */
  shuffle<T>(items: readonly T[]): readonly T[];
}

/** Marsaglia's xorshift with 32 bits: good enough to choose moments, and the same on every machine. */
export function createRandom(seed: number): Random {
  // Zero would stay zero; the product makes neighbouring seeds differ from the first number on.
  let state = Math.imul(seed + 1, 0x9e3779b1) || 1;
  const fraction = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  return {
    fraction,
    pick: (items) => items[Math.floor(fraction() * items.length)] ?? items[0],
    shuffle(items) {
      const keyed = items.map((item) => ({ item, key: fraction() }));
      return keyed.toSorted((one, other) => one.key - other.key).map(({ item }) => item);
    },
  };
}

/** The seed of this environment variable, or a new one. It is printed, so that a run can be repeated. */
export function readSeed(variable: string, env: NodeJS.ProcessEnv = process.env): number {
  const text = env[variable] ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text);
  if (text !== '') throw new Error(`${variable} is ${JSON.stringify(text)}, expected a number`);
  return Math.floor(Math.random() * 1_000_000);
}
