import { findNearest } from '../../lib/nearest.ts';
import { findCycle } from '../../lib/waves.ts';
import { type Path, type Problem, quote } from '../problems.ts';
import { infrastructure } from '../schema.ts';
import { type Draft, placeText, problemAt } from './draft.ts';

/** More circles than these are cut: one change mostly opens several. */
const mostCircles = 5;

/** Needs that name nothing known. */
export function findUnknownNeeds(draft: Draft): readonly Problem[] {
  const known = [...draft.names, ...infrastructure];
  return eachNeed(draft).flatMap(({ need, path }) => findUnknown(draft, need, known, path));
}

/** Services for Argo CD that are none. */
export function findUnknownSyncedServices(draft: Draft): readonly Problem[] {
  // What is wrong with all services is said already.
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

/** Services that wait for each other, each circle as a path. */
export function findCyclicNeeds(draft: Draft): readonly Problem[] {
  const needs = new Map([...draft.services].map(([name, service]) => [name, new Set(service.needs)]));
  for (const [name, own] of needs) own.delete(name);
  const names = [...needs.keys()];
  const problems: Problem[] = [];
  while (problems.length < mostCircles) {
    const circle = findCycle(names, (name) => [...(needs.get(name) ?? [])]);
    const [name, need] = circle ?? [];
    if (!circle || name === undefined || need === undefined) break;
    const index = draft.services.get(name)?.needs?.indexOf(need) ?? 0;
    const text = `got a circle, ${toPathText(circle)}, expected needs that end: remove one of these`;
    problems.push(problemAt(draft, ['services', name, 'needs', index], text));
    needs.get(name)?.delete(need);
  }
  return problems;
}

function toPathText(circle: readonly string[]): string {
  const shown = circle.length > 12 ? [...circle.slice(0, 6), '…', ...circle.slice(-5)] : circle;
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
