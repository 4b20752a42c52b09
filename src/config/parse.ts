import {
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLError,
} from 'yaml';
import { ConfigFailure, type Path, type Place, type Problem, toPlaceText } from './problems.ts';
import { scan } from './scan.ts';
import type { MapEntry, MapTree, Tree } from './tree.ts';
import { findVersionProblem } from './yaml-versions.ts';

/** Clearer texts for the parser's frequent errors, by code or by message; other errors keep the parser's text. */
const clearerTexts: Readonly<Record<string, string>> = {
  BAD_SCALAR_START: 'got a reserved character at the start of a value, expected the value in quotes',
  BLOCK_AS_IMPLICIT_KEY:
    'got a second key on the line, expected one: check the indentation, or quote the value',
  MULTILINE_IMPLICIT_KEY: 'got a key on several lines, expected ":" after each key',
  MULTIPLE_DOCS: 'got a second document, expected one: remove the "---"',
  NON_STRING_KEY: 'got a list or map as a key, expected a name',
  TAB_AS_INDENT: 'got a tab, expected spaces as indentation',
  'All mapping items must start at the same column':
    'got a key at a different column than those above it, expected the same',
  'Flow map in block collection must be sufficiently indented and end with a }':
    'got an open {, expected a } before this',
  'Flow sequence in block collection must be sufficiently indented and end with a ]':
    'got an open [, expected a ] before this',
  'Implicit map keys need to be followed by map values': 'got a key without ":", expected "key: value"',
};

export interface ParseOptions {
  /** Whether the values are secrets, which no message may contain. */
  readonly isSecret?: boolean;
}

/**
 * A YAML 1.2 file as a tree with the place of each value; an empty file is an empty map.
 * @throws {ConfigFailure} with the place of the first syntax error, or with all invalid keys and all values without
 * quotes that YAML 1.1, and so Helm, reads as something else.
 */
export function parse(text: string, file: string, { isSecret = false }: ParseOptions = {}): MapTree {
  scan(text, file);
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    version: '1.2',
    strict: true,
    merge: false,
    stringKeys: true,
    // Checked below: the parser would compare every key of a map with every other.
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'error',
  });
  // Further errors are mostly consequences of the first.
  const [error] = [...document.errors, ...document.warnings];
  if (error) throw new ConfigFailure([{ place: placeAt(error.pos[0]), path: [], text: toErrorText(error) }]);

  const problems: Problem[] = [];
  const root = document.contents;
  const tree = isNothing(root) ? emptyMap({ file, line: 1, column: 1 }) : toTree(root, []);
  if (tree.kind !== 'map') {
    const got = tree.kind === 'list' ? 'a list' : 'a single value';
    throw new ConfigFailure([{ place: tree.place, path: [], text: `got ${got}, expected keys with values` }]);
  }
  if (problems.length > 0) throw new ConfigFailure(problems);
  return tree;

  function toTree(node: Node, path: Path): Tree {
    const place = placeAt(node.range?.[0] ?? 0);
    if (isMap(node)) return { kind: 'map', place, entries: toEntries(node.items as Pair<Node>[], path) };
    if (isSeq(node)) {
      const items = node.items.map((item, index) => toTree(item as Node, [...path, index]));
      return { kind: 'list', place, items };
    }
    if (!isScalar(node)) throw new TypeError(`a ${node.constructor.name} passed the scan`);
    const value = node.value as string | number | boolean | null;
    checkVersions(node, path);
    return { kind: 'scalar', place, value, source: node.source ?? '' };
  }

  function toEntries(pairs: readonly Pair<Node>[], path: Path): ReadonlyMap<string, MapEntry> {
    const entries = new Map<string, MapEntry>();
    for (const { key, value } of pairs) {
      const place = placeAt(key.range?.[0] ?? 0);
      const name = isScalar(key) ? String(key.value ?? '') : '';
      const below = name === '' ? path : [...path, name];
      // A key is never a secret.
      checkVersions(key, below, false);
      const text = findKeyProblem(name, entries.get(name));
      if (text !== undefined) problems.push({ place, path: below, text });
      else entries.set(name, { place, value: value ? toTree(value as Node, below) : toNothing(place) });
    }
    return entries;
  }

  function checkVersions(node: Node, path: Path, hides = isSecret): void {
    if (!isScalar(node) || node.type !== 'PLAIN') return;
    const text = findVersionProblem(node.source ?? '', node.value, { isSecret: hides });
    if (text !== undefined) problems.push({ place: placeAt(node.range?.[0] ?? 0), path, text });
  }

  function placeAt(offset: number): Place {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  }
}

function findKeyProblem(name: string, first: MapEntry | undefined): string | undefined {
  if (name === '') return 'got an empty key, expected a name before the ":"';
  if (first) return `got a duplicate key, expected it once: it is already at ${toPlaceText(first.place)}`;
  // zod silently drops this key from a record.
  if (name === '__proto__') return 'got a name that JavaScript reserves, expected another';
  return undefined;
}

function toErrorText({ code, message }: YAMLError): string {
  return (
    clearerTexts[code] ?? clearerTexts[message] ?? `${message.charAt(0).toLowerCase()}${message.slice(1)}`
  );
}

/** Empty, or only comments and a "---". */
function isNothing(root: unknown): root is null {
  return root === null || (isScalar(root) && root.value === null && !root.source);
}

/** The value of a key without a value, and even without a ":". */
function toNothing(place: Place): Tree {
  return { kind: 'scalar', place, value: null, source: '' };
}

function emptyMap(place: Place): MapTree {
  return { kind: 'map', place, entries: new Map() };
}
