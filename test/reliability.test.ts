import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const page = await readFile(join(import.meta.dirname, '../docs/reliability.md'), 'utf8');

/** How many faults each group of the catalogue has. */
const groups = { A: 19, B: 6, C: 18, D: 14, E: 12, F: 12, G: 17, H: 9, I: 16, J: 12 } as const;
const faults = Object.entries(groups).flatMap(([group, count]) =>
  Array.from({ length: count }, (_, at) => `${group}${at + 1}`),
);
const injections = Array.from({ length: 72 }, (_, at) => String(at + 1));

/** The cells of each row that begins with an ID. */
const rows = [...page.matchAll(/^\| ([A-J]?\d+) \|(.*)\|$/gm)].map(([, id = '', cells = '']) => {
  const [fault = '', does = '', proof = ''] = cells.split(' | ').map((cell) => cell.trim());
  return { id, fault, does, proof };
});

interface Reference {
  readonly file: string;
  readonly name: string;
}

/** The tests that a cell names: `file` “name”, “name”; `file` “name”. */
function listReferences(proof: string): readonly Reference[] {
  return [...proof.matchAll(/`([\w/-]+\.test\.ts)`((?:,? “[^”]+”)*)/g)].flatMap(
    ([, file = '', names = '']) => {
      const found = [...names.matchAll(/“([^”]+)”/g)].map(([, name = '']) => ({ file, name }));
      return found.length > 0 ? found : [{ file, name: '' }];
    },
  );
}

/** The names of the tests and groups of tests in a file. */
async function readNames(file: string): Promise<ReadonlySet<string>> {
  const text = await readFile(join(import.meta.dirname, file), 'utf8');
  const calls =
    /(?:\b(?:it|test|describe)(?:\.\w+)*|\))(?:<[^>]*>)?\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1\s*,/gs;
  return new Set([...text.matchAll(calls)].map(([, , name = '']) => name.replace(/\\(.)/g, '$1')));
}

test('135 faults and 72 injections have a row each, in their order', () => {
  expect(faults).toHaveLength(135);
  expect(rows.map(({ id }) => id)).toEqual([...faults, ...injections]);
});

test('each row says what the tool does and which test shows it, or why that is not so', () => {
  for (const { id, fault, does, proof } of rows) {
    expect(fault, id).not.toBe('');
    const reason = /^not (?:handled|made): \S.{20,}$/.test(proof);
    const isShown = does !== '' && listReferences(proof).length > 0;
    expect([reason, isShown], id).toContain(true);
  }
});

test('each test that is named exists', async () => {
  const references = rows.flatMap(({ id, proof }) => listReferences(proof).map((each) => ({ id, ...each })));
  const files = [...new Set(references.map(({ file }) => file))];
  const names = new Map(await Promise.all(files.map(async (file) => [file, await readNames(file)] as const)));
  expect(references.filter(({ file, name }) => !names.get(file)?.has(name))).toEqual([]);
});
