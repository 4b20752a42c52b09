import { type Problem, quote } from '../problems.ts';
import { standInFolder } from '../service-table.ts';
import { type Draft, problemAt } from './draft.ts';

/** Files of a stand-in that would go where its program is not. */
export function findUnfitLive(draft: Draft): readonly Problem[] {
  return [...draft.services].flatMap(([name, { live = [] }]) =>
    live
      .filter(({ build, to }) => build === 'stand-in' && to !== standInFolder)
      .map(({ to }) =>
        problemAt(
          draft,
          ['services', name, 'live'],
          `got to: ${quote(to)}, expected ${standInFolder}: a stand-in's program is there`,
        ),
      ),
  );
}
