import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scenarios } from './e2e/scenarios.ts';

const folder = join(import.meta.dirname, 'e2e');
const names = scenarios.map(({ name }) => name);

test('every real-cluster test has its group and its place', async () => {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.test.ts'));
  expect(files.map((file) => file.replace('.test.ts', '')).toSorted()).toEqual(names.toSorted());
});

test('and its row in the README', async () => {
  const readme = await readFile(join(folder, 'README.md'), 'utf8');
  const rows = [...readme.matchAll(/^\| `([\w-]+)` \| (\w+) \|/gm)].map(([, name, group]) => ({
    name,
    group,
  }));
  expect(rows).toEqual(scenarios);
});
