/**
 * Orders names so that each comes after all it needs, in as few groups as possible; the names of a group may run at once.
 * Needs outside `names` are taken as met. Throws an Error naming the cycle when there is one: callers check first
 * (`findCircle`), so this is a bug.
 */
export function toWaves(
  names: readonly string[],
  needsOf: (name: string) => readonly string[],
): readonly (readonly string[])[] {
  const waves: string[][] = [];
  const waiting = new Set(names);
  while (waiting.size > 0) {
    const wave = [...waiting].filter((name) => !needsOf(name).some((need) => waiting.has(need)));
    if (wave.length === 0) {
      throw new Error(`circular needs: ${findCycle([...waiting], needsOf)?.join(' → ')}`);
    }
    for (const name of wave) waiting.delete(name);
    waves.push(wave);
  }
  return waves;
}

/** The first cycle among the needs, as a path that ends where it began; undefined when there is none. */
export function findCycle(
  names: readonly string[],
  needsOf: (name: string) => readonly string[],
): readonly string[] | undefined {
  const finished = new Set<string>();
  for (const start of names) {
    const cycle = walk(start, []);
    if (cycle) return cycle;
  }
  return undefined;

  function walk(name: string, path: readonly string[]): readonly string[] | undefined {
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name];
    if (finished.has(name)) return undefined;
    for (const need of needsOf(name)) {
      const cycle = walk(need, [...path, name]);
      if (cycle) return cycle;
    }
    finished.add(name);
    return undefined;
  }
}
