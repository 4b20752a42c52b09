import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeClusterFolder } from './fakes/cluster-folder.ts';

const checkout = join(import.meta.dirname, '..');
const readme = await readFile(join(checkout, 'README.md'), 'utf8');
/** The words of each command line of the README that prints JSON, without what it is piped into. */
const examples = [
  ...new Set([...readme.matchAll(/npm run [^`|\n]*--json[^`|\n]*/g)].map(([line]) => line.trim())),
];

/** Runs it as a user does, with npm, in a checkout whose cluster does not respond. */
async function run(line: string) {
  const { PATH = '', HOME = '', TMPDIR = '/tmp' } = process.env;
  const env = { PATH, HOME, TMPDIR, WEALIST_STATE_DIR: await makeClusterFolder() };
  const [program = '', ...args] = line.split(' ');
  return spawnSync(program, args, { cwd: checkout, env, encoding: 'utf8' });
}

describe('through npm', () => {
  test('the README has examples', () => {
    expect(examples).toContain('npm run status -- --json');
  });

  test.each(examples)('%s: one JSON document is all of stdout', async (line) => {
    const { stdout } = await run(line);
    expect(JSON.parse(stdout)).toBeTypeOf('object');
  });

  test('also of a run that fails', async () => {
    const { stdout, status } = await run('npm run logs -- no-service --json');
    expect(status).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ error: { exitCode: 2 } });
  });
});
