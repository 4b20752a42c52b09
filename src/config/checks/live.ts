import { type Problem, quote } from '../problems.ts';
import { standInFolder } from '../service-table.ts';
import { type Draft, problemAt } from './draft.ts';

/** Live folders of stand-ins whose target is not the folder of the program. */
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
