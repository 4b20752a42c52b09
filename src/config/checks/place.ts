import type { Path, Problem } from '../problems.ts';
import { findAt } from '../tree.ts';
import { type Draft, placeText, problemAt } from './draft.ts';

/** Keys for a local cluster, without a meaning for a remote one. */
const localKeys = ['ingress', 'argocd', 'source', 'bases', 'registry', 'buildCache'] as const;
/** Keys for a remote cluster. */
const remoteKeys = ['context', 'nodes'] as const;

/** Keys of a local environment in a remote one, and the reverse. */
export function findMisplacedKeys(draft: Draft): readonly Problem[] {
  const has = (path: Path) => findAt(draft.tree, path) !== undefined;
  const isLocal = has(['cluster']);
  const misplaced = (isLocal ? remoteKeys : localKeys).filter((key) => has([key]));
  return misplaced.map((key) => {
    const reason = isLocal
      ? `the key cluster makes this environment local (${placeText(draft, ['cluster'])})`
      : 'it is for local environments, which have the key cluster';
    return problemAt(draft, [key], `got a value, expected none: ${reason}`);
  });
}
