import { findNearest } from '../../lib/nearest.ts';
import { findCycle } from '../../lib/waves.ts';
import { type Path, type Problem, quote } from '../problems.ts';
import { infrastructure } from '../schema.ts';
import { type Draft, placeText, problemAt } from './draft.ts';

/** More cycles are not reported: one correction usually resolves several. */
const maxCycles = 5;

/** Needs with unknown names. */
export function findUnknownNeeds(draft: Draft): readonly Problem[] {
  const known = [...draft.names, ...infrastructure];
  return eachNeed(draft).flatMap(({ need, path }) => findUnknown(draft, need, known, path));
}

/** Unknown services for Argo CD. */
export function findUnknownSyncedServices(draft: Draft): readonly Problem[] {
  // Without any service, that is the problem to report.
  const services = draft.names.length === 0 ? [] : (draft.argocd.services ?? []);
  return services.flatMap((name, at) => findUnknown(draft, name, draft.names, ['argocd', 'services', at]));
}

function findUnknown(draft: Draft, name: string, known: readonly string[], path: Path): readonly Problem[] {
  if (known.includes(name)) return [];
  const nearest = findNearest(name, known);
  const expected =
    nearest === undefined ? `one of ${known.slice(0, 12).join(', ')}` : `a known name: nearest is ${nearest}`;
  return [problemAt(draft, path, `got ${quote(name)}, expected ${expected}`)];
}

export function findSelfNeeds(draft: Draft): readonly Problem[] {
  return eachNeed(draft).flatMap(({ name, need, path }) =>
    need === name ? [problemAt(draft, path, `got ${need}, expected another service than itself`)] : [],
  );
}

export function findRepeatedNeeds(draft: Draft): readonly Problem[] {
  return eachNeed(draft).flatMap(({ name, need, path, index }) => {
    const first = draft.services.get(name)?.needs?.indexOf(need) ?? index;
    if (first === index) return [];
    const place = placeText(draft, ['services', name, 'needs', first]);
    return [problemAt(draft, path, `got ${quote(need)} again, expected it once (${place})`)];
  });
}

/** Services that wait for each other, each cycle as a path. */
export function findCyclicNeeds(draft: Draft): readonly Problem[] {
  const needs = new Map([...draft.services].map(([name, service]) => [name, new Set(service.needs)]));
  for (const [name, own] of needs) own.delete(name);
  const names = [...needs.keys()];
  const problems: Problem[] = [];
  while (problems.length < maxCycles) {
    const cycle = findCycle(names, (name) => [...(needs.get(name) ?? [])]);
    const [name, need] = cycle ?? [];
    if (!cycle || name === undefined || need === undefined) break;
    const index = draft.services.get(name)?.needs?.indexOf(need) ?? 0;
    const text = `got a cycle, ${toPathText(cycle)}: remove one of these needs`;
    problems.push(problemAt(draft, ['services', name, 'needs', index], text));
    needs.get(name)?.delete(need);
  }
  return problems;
}

function toPathText(cycle: readonly string[]): string {
  const shown = cycle.length > 12 ? [...cycle.slice(0, 6), '…', ...cycle.slice(-5)] : cycle;
  return shown.join(' → ');
}

interface Need {
  readonly name: string;
  readonly need: string;
  readonly index: number;
  readonly path: readonly (string | number)[];
}

function eachNeed({ services }: Draft): readonly Need[] {
  return [...services].flatMap(([name, service]) =>
    (service.needs ?? []).map((need, index) => ({
      name,
      need,
      index,
      path: ['services', name, 'needs', index],
    })),
  );
}
