import type { Path, Problem } from '../problems.ts';
import { findAt } from '../tree.ts';
import { type Draft, placeText, problemAt } from './draft.ts';

/** What is said of a cluster that this tool makes, and means nothing for another. */
const localKeys = ['ingress', 'argocd', 'source', 'registry'] as const;
/** What is said of a cluster elsewhere. */
const remoteKeys = ['context', 'nodes'] as const;

/** Keys that belong to an environment on this machine, in one elsewhere, and the other way round. */
export function findMisplacedKeys(draft: Draft): readonly Problem[] {
  const has = (path: Path) => findAt(draft.tree, path) !== undefined;
  const isLocal = has(['cluster']);
  const misplaced = (isLocal ? remoteKeys : localKeys).filter((key) => has([key]));
  return misplaced.map((key) => {
    const reason = isLocal
      ? `cluster makes this one of this machine (${placeText(draft, ['cluster'])})`
      : 'it belongs to an environment of this machine, which has the key cluster';
    return problemAt(draft, [key], `got a value, expected none: ${reason}`);
  });
}
