/** What is drawn: names, and for each what it needs. */
export interface Graph {
  readonly nodes: readonly { readonly name: string; readonly needs: readonly string[] }[];
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  /** Centre of each node. */
  readonly nodes: Readonly<Record<string, Point>>;
  readonly edges: readonly {
    readonly from: string;
    readonly to: string;
    readonly points: readonly Point[];
  }[];
}

export const nodeSize = { width: 148, height: 40 } as const;

/** Each need that does not follow from another one. What needs itself through others keeps all of its needs. */
export function reduce({ nodes }: Graph): Graph {
  const needsOf = new Map(nodes.map(({ name, needs }) => [name, needs]));

  function reaches(from: string, to: string, seen: Set<string>): boolean {
    if (from === to) return true;
    if (seen.has(from)) return false;
    seen.add(from);
    return (needsOf.get(from) ?? []).some((need) => reaches(need, to, seen));
  }

  return {
    nodes: nodes.map(({ name, needs }) => {
      const known = needs.filter((need) => needsOf.has(need) && need !== name);
      const isImplied = (need: string) =>
        known.some((other) => other !== need && reaches(other, need, new Set([name])));
      return { name, needs: known.filter((need) => !isImplied(need)) };
    }),
  };
}

/** Everything that a part needs, or that needs it, with itself: what is emphasised. */
export function listRelated({ nodes }: Graph, name: string): ReadonlySet<string> {
  const needsOf = new Map(nodes.map((node) => [node.name, node.needs]));
  const related = new Set<string>();
  const follow = (from: string, next: (name: string) => readonly string[], seen: Set<string>) => {
    if (seen.has(from)) return;
    seen.add(from);
    related.add(from);
    for (const each of next(from)) follow(each, next, seen);
  };
  follow(name, (each) => needsOf.get(each) ?? [], new Set());
  follow(
    name,
    (each) => nodes.filter(({ needs }) => needs.includes(each)).map((node) => node.name),
    new Set(),
  );
  return related;
}
