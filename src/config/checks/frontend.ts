import type { Problem } from '../problems.ts';
import { findAt } from '../tree.ts';
import { type Draft, keyPlaceText, problemAt } from './draft.ts';

/** Exactly one service is served at `/`: the one without a route. */
export function findFrontendProblems(draft: Draft): readonly Problem[] {
  const names = [...draft.services.keys()];
  const [first, ...others] = names.filter((name) => !findAt(draft.tree, ['services', name, 'route']));
  if (first === undefined) {
    if (names.length === 0) return [];
    const text = 'got a route for each service, expected one service without: it is served at /';
    return [problemAt(draft, ['services'], text)];
  }
  const place = keyPlaceText(draft, ['services', first]);
  return others.map((name) => {
    const text = `missing, expected a route: one service has none, and that is ${first} (${place})`;
    return problemAt(draft, ['services', name, 'route'], text);
  });
}
