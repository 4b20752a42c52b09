import { appendFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findUnfinished, openJournal, readJournal } from '../../src/state/journal.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const step = (name: string) => ({ stage: 'Cluster', step: name });
const options = { command: 'npm run up', config: () => 'c0ffee' };

test('keeps what was begun and what was done, with run, command and configuration', async () => {
  const path = join(await makeTemporaryFolder(), 'state/journal');
  const journal = openJournal(path, options);
  await journal.begin(step('Create cluster'));
  await journal.done(step('Create cluster'));
  const [begun, done] = await readJournal(path);
  expect(begun).toMatchObject({
    event: 'begin',
    command: 'npm run up',
    config: 'c0ffee',
    ...step('Create cluster'),
  });
  expect(done).toMatchObject({ event: 'done', run: begun?.run });
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test('a run that touches nothing writes nothing', async () => {
  const folder = await makeTemporaryFolder();
  openJournal(join(folder, 'journal'), options);
  expect(await readdir(folder)).toEqual([]);
  expect(await readJournal(join(folder, 'journal'))).toEqual([]);
});

test('names the steps that the last run was killed in', async () => {
  const path = join(await makeTemporaryFolder(), 'journal');
  await openJournal(path, options).begin(step('Of an earlier run'));
  const last = openJournal(path, options);
  await last.begin(step('Create cluster'));
  await last.begin(step('Build auth-service'));
  await last.done(step('Build auth-service'));
  expect(await findUnfinished(path)).toMatchObject([step('Create cluster')]);
});

test('a step that failed did end: only one that nothing was heard of any more was killed', async () => {
  const path = join(await makeTemporaryFolder(), 'journal');
  const last = openJournal(path, options);
  await last.begin(step('Deploy auth-service'));
  await last.failed(step('Deploy auth-service'));
  expect(await findUnfinished(path)).toEqual([]);
  await last.begin(step('Create cluster'));
  expect(await findUnfinished(path)).toMatchObject([step('Create cluster')]);
});

test('a line cut off in the middle costs that line only', async () => {
  const path = join(await makeTemporaryFolder(), 'journal');
  await openJournal(path, options).begin(step('One'));
  await appendFile(path, '\n{"version":1,"run":"x","at":"20');
  await appendFile(path, '\n{"version":2,"run":"future"}');
  await openJournal(path, options).begin(step('Two'));
  expect((await readJournal(path)).map(({ step }) => step)).toEqual(['One', 'Two']);
});

test('a long journal is rotated, and one old one is kept', async () => {
  const folder = await makeTemporaryFolder();
  const path = join(folder, 'journal');
  await writeFile(path, 'x'.repeat(1024 * 1024 + 1));
  await openJournal(path, options).begin(step('One'));
  expect((await readdir(folder)).sort()).toEqual(['journal', 'journal.old']);
  expect((await readFile(path, 'utf8')).length).toBeLessThan(1_000);
});

test('steps that end at once share one rotation and lose no entry', async () => {
  const folder = await makeTemporaryFolder();
  const path = join(folder, 'journal');
  await writeFile(path, 'x'.repeat(1024 * 1024 + 1));
  const journal = openJournal(path, options);
  const names = Array.from({ length: 40 }, (_, at) => `Step ${at}`);
  await Promise.all(names.map((name) => journal.begin(step(name))));
  expect((await readJournal(path)).map(({ step }) => step)).toEqual(names);
  expect((await readFile(`${path}.old`, 'utf8')).length).toBe(1024 * 1024 + 1);
});

test('a journal that cannot be written ends no run, and is reported once', async () => {
  const folder = await makeTemporaryFolder();
  const path = join(folder, 'journal');
  await mkdir(path);
  const errors: unknown[] = [];
  const journal = openJournal(path, { ...options, onUnwritable: (error) => errors.push(error) });
  await Promise.all([journal.begin(step('One')), journal.begin(step('Two'))]);
  await journal.done(step('One'));
  expect(errors).toMatchObject([{ code: 'EISDIR' }]);
});

test('a journal that cannot be rotated is continued', async () => {
  const path = join(await makeTemporaryFolder(), 'journal');
  await writeFile(path, 'x'.repeat(1024 * 1024 + 1));
  await mkdir(join(`${path}.old`, 'folder'), { recursive: true });
  const errors: unknown[] = [];
  const journal = openJournal(path, { ...options, onUnwritable: (error) => errors.push(error) });
  await journal.begin(step('One'));
  await journal.done(step('One'));
  expect((await readJournal(path)).map(({ event }) => event)).toEqual(['begin', 'done']);
  expect(errors).toHaveLength(1);
});
