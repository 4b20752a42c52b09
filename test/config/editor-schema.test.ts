import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { EnvironmentFile } from '../../src/config/schema.ts';

const folder = resolve(import.meta.dirname, '../../env');

/** What editors check and explain an environment file by: any file may leave out what another says. */
function toEditorSchema(): object {
  const schema = z.toJSONSchema(EnvironmentFile, { io: 'input' });
  const extension = {
    type: 'string',
    description: 'The environment that this file lies over, such as base.',
  };
  const { properties, ...rest } = schema;
  return withoutRequired({
    ...rest,
    title: 'Environment',
    properties: { extends: extension, ...properties },
  });
}

function withoutRequired<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).filter(([key, below]) => key !== 'required' || !Array.isArray(below));
  return Object.fromEntries(entries.map(([key, below]) => [key, withoutRequired(below)])) as T;
}

test('env/schema.json is that of the code: if not, run this file with -u', async () => {
  await expect(`${JSON.stringify(toEditorSchema(), null, 2)}\n`).toMatchFileSnapshot(
    join(folder, 'schema.json'),
  );
});

test('each environment names it to editors', async () => {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.yaml') && file !== 'local.yaml');
  for (const file of files) {
    expect(await readFile(join(folder, file), 'utf8'), file).toMatch(
      /^# yaml-language-server: \$schema=schema\.json\n/,
    );
  }
});
