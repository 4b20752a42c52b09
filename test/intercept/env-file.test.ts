import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { toEnvFile } from '../../src/intercept/env-file.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const variables = {
  PLAIN: 'http://127.0.0.1:8081/a?b=c',
  EMPTY: '',
  SPACES: ' two words ',
  HASH: 'a#b',
  DOLLAR: '$HOME `id` $(id)',
  SINGLE: "it's",
  DOUBLE: 'say "x"',
  BACKSLASH: 'a\\nb',
};

/** A file with this content, and what a program started with it gets. */
async function write(content: string): Promise<string> {
  const file = join(await makeTemporaryFolder(), 'environment');
  await writeFile(file, content);
  return file;
}

const print = `process.stdout.write(JSON.stringify(process.env))`;

test('dotenv is read by node --env-file', async () => {
  const file = await write(toEnvFile(variables, 'dotenv'));
  const output = execFileSync(process.execPath, [`--env-file=${file}`, '-e', print], {
    env: {},
    encoding: 'utf8',
  });
  expect(JSON.parse(output)).toMatchObject(variables);
});

test('sh is read by a shell, line breaks included', async () => {
  const all = { ...variables, LINES: 'one\ntwo', QUOTES: `'"\`` };
  const file = await write(toEnvFile(all, 'sh'));
  const script = `. "$1" && exec "$2" -e '${print}'`;
  const output = execFileSync('sh', ['-c', script, 'sh', file, process.execPath], {
    env: {},
    encoding: 'utf8',
  });
  expect(JSON.parse(output)).toMatchObject(all);
});

test('json holds everything, and docker takes each line as it is', () => {
  expect(JSON.parse(toEnvFile(variables, 'json'))).toEqual(variables);
  expect(toEnvFile({ B: '"x" # y', A: '1' }, 'docker').split('\n').slice(1)).toEqual([
    'A=1',
    'B="x" # y',
    '',
  ]);
});

test.each([
  ['docker', 'one\ntwo', 'the value of KEY has line breaks, which the format docker cannot hold'],
  ['dotenv', `'"\``, 'the value of KEY has all kinds of quotes, which the format dotenv cannot hold'],
] as const)('%s refuses what it cannot hold', (format, value, message) => {
  expect(() => toEnvFile({ KEY: value }, format)).toThrow(message);
});
