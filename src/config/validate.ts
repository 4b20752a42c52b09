import { z } from 'zod';
import { toAscii } from '../lib/printable.ts';
import { describeUnknownKey, type KnownMap, listMaps } from './known-keys.ts';
import { type Path, type Problem, quote, shorten } from './problems.ts';
import { findAt, type MapTree, placeOfKey, type Tree, toValue } from './tree.ts';

type Issue = z.core.$ZodIssue;

export interface Validated<T> {
  /** The value with its defaults; undefined when there are problems. */
  readonly value: T | undefined;
  readonly problems: readonly Problem[];
}

/** Validates a tree by a schema whose messages complete "got X, expected …"; reports all problems at once. */
export function validate<T>(tree: MapTree, schema: z.ZodType<T>): Validated<T> {
  const result = schema.safeParse(toValue(tree));
  if (result.success) return { value: result.data, problems: [] };
  const known = listMaps(z.toJSONSchema(schema, { io: 'input' }));
  const problems = result.error.issues.flatMap((issue) => toProblems(issue, tree, known));
  return { value: undefined, problems };
}

function toProblems(issue: Issue, tree: MapTree, known: readonly KnownMap[]): readonly Problem[] {
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => {
        const text = describeUnknownKey(key, path, known);
        return { place: placeOfKey(tree, [...path, key]), path: [...path, key], text };
      });
    case 'invalid_key': {
      const text = `got ${quote(String(path.at(-1)), toAscii)}, expected ${issue.issues[0]?.message}`;
      return [{ place: placeOfKey(tree, path), path, text }];
    }
    default:
      return [toProblem(issue, path, tree)];
  }
}

function toProblem(issue: Issue, path: Path, tree: MapTree): Problem {
  const found = findAt(tree, path);
  if (!found) return { place: placeOfKey(tree, path), path, text: `missing, expected ${issue.message}` };
  const isUnquoted =
    found.kind === 'scalar' && (typeof found.value === 'number' || typeof found.value === 'boolean');
  const wantsText = issue.code === 'invalid_type' && issue.expected === 'string';
  const note = isUnquoted && wantsText ? ' (text: in quotes)' : '';
  return {
    place: found.place,
    path,
    text: `got ${describe(found, issue)}, expected ${issue.message}${note}`,
  };
}

function describe(tree: Tree, issue: Issue): string {
  if (tree.kind !== 'scalar') return `a ${tree.kind}`;
  if (tree.value === null) return 'nothing';
  if (typeof tree.value !== 'string') return shorten(tree.source);
  // Patterns allow ASCII only, so a look-alike letter must be visible in the message.
  return quote(tree.value, issue.code === 'invalid_format' ? toAscii : undefined);
}
