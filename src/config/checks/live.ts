import { type Problem, quote } from '../problems.ts';
import { standInFolder } from '../service-table.ts';
import { type Draft, problemAt } from './draft.ts';

/** Live folders of stand-ins whose target is not the folder of the program, or which have a `then`. */
export function findUnfitLive(draft: Draft): readonly Problem[] {
  return [...draft.services].flatMap(([name, { live = [] }]) =>
    live
      .filter(({ build }) => build === 'stand-in')
      .flatMap(({ to, then }) => {
        const place = ['services', name, 'live'];
        const folder = `got to: ${quote(to)}, expected ${standInFolder}: a stand-in's program is there`;
        const reaction = 'got then, expected it only with build: source: a stand-in reloads itself';
        return [
          ...(to === standInFolder ? [] : [problemAt(draft, place, folder)]),
          ...(then === undefined ? [] : [problemAt(draft, place, reaction)]),
        ];
      }),
  );
}
