import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as labels from '../../src/lib/labels.ts';

const root = join(import.meta.dirname, '../..');

/** Names below wealist.local that are no images, in the files of a folder. */
function listNames(folder: string, ending: string): readonly string[] {
  const files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith(ending) && !file.includes('node_modules'))
    .flatMap((file) => [
      ...readFileSync(join(root, folder, file), 'utf8').matchAll(/wealist\.local\/([a-z-]+)\b(?![-/]|:\S)/g),
    ])
    .map(([name]) => name);
}

test.each([
  ['helm/charts', '.tpl'],
  ['helm/charts', 'values.yaml'],
  ['argocd', '.yaml'],
])('charts name the labels that the program knows: %s, *%s', (folder, ending) => {
  const known: readonly string[] = Object.values(labels);
  expect(listNames(folder, ending).filter((name) => !known.includes(name))).toEqual([]);
});

test('the labels that charts have to know are in them', () => {
  const names = listNames('helm/charts', '.tpl');
  expect(names).toEqual(expect.arrayContaining([labels.nodeTypeLabel, labels.noteAnnotation]));
});

test('each stands once in the program', () => {
  const names = Object.values(labels);
  const found = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(root, 'src', file), 'utf8'))
    .flatMap((source) => names.filter((name) => source.includes(`'${name}'`)));
  expect(found.toSorted()).toEqual(names.toSorted());
});
