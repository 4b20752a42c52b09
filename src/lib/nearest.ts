/** Characters: longer words are not compared, which costs length × length. */
const longest = 64;

/**
 * The candidate that `word` most likely means, ignoring case: one that differs by at most two edits (one in a word
 * of up to three letters; swapped neighbours are one edit), else the first that continues it (`auth` → `auth-service`).
 */
export function findNearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word === '' || word.length > longest) return undefined;
  const wanted = word.toLowerCase();
  let nearest: string | undefined;
  let continued: string | undefined;
  let fewest = word.length <= 3 ? 1 : 2;
  for (const candidate of candidates) {
    const known = candidate.toLowerCase();
    if (known.startsWith(wanted)) continued ??= candidate;
    const edits = countEdits(wanted, known, fewest);
    if (edits < fewest || (edits === fewest && nearest === undefined)) {
      nearest = candidate;
      fewest = edits;
    }
  }
  return nearest ?? continued;
}

/** Insertions, deletions, replacements and swaps of neighbours from one word to the other; Infinity above `limit`. */
function countEdits(from: string, to: string, limit: number): number {
  if (Math.abs(from.length - to.length) > limit) return Number.POSITIVE_INFINITY;
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      let edits = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (same ? 0 : 1),
      );
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (row > 1 && column > 1 && swapped) edits = Math.min(edits, at(beforeLast, column - 2) + 1);
      current.push(edits);
    }
    beforeLast = last;
    last = current;
  }
  const edits = at(last, to.length);
  return edits <= limit ? edits : Number.POSITIVE_INFINITY;
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
