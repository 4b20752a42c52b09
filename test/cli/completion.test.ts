import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { type Commands, defineCommand } from '../../src/cli/command.ts';
import { toBash } from '../../src/cli/completion/bash.ts';
import { toFish } from '../../src/cli/completion/fish.ts';
import { listWords } from '../../src/cli/completion/words.ts';
import { toZsh } from '../../src/cli/completion/zsh.ts';

const reload = defineCommand({
  description: 'Rebuilds a service.',
  arguments: { services: { value: 'service', summary: '', many: true, complete: 'services' } },
  options: {
    dryRun: { summary: 'change nothing' },
    with: { value: 'extra', summary: 'this, too', complete: 'extras' },
  },
  async run() {},
});
const kubectl = defineCommand({
  ...{ description: 'kubectl', passThrough: true },
  arguments: { words: { value: 'argument', summary: '', many: true } },
  async run() {},
});
const commands: Commands = {
  reload: { summary: "rebuild a service: it's quick", load: async () => ({ command: reload }) },
  kubectl: { summary: 'kubectl', load: async () => ({ command: kubectl }) },
};
const words = await listWords(commands, {
  services: ['auth-service', 'frontend'],
  extras: ['monitoring', 'metrics'],
  environments: ['dev', 'local-kind'],
});
const script = { program: "/a path/it's/bin.js", words };

test('every command, its own and the global flags, and services where it takes them', () => {
  const [first, second] = words;
  expect(first).toMatchObject({ name: 'reload', values: ['auth-service', 'frontend'] });
  expect(first?.flags.map(({ flag }) => flag)).toEqual([
    '--dry-run',
    '--with',
    '--json',
    '--quiet',
    '--verbose',
    '--no-color',
    '--help',
  ]);
  expect(second).toMatchObject({ name: 'kubectl', flags: [], values: [] });
});

/** The completions that bash offers for the last of these words. */
async function complete(...line: readonly string[]): Promise<readonly string[]> {
  const quoted = line.map((word) => `'${word}'`).join(' ');
  const ask = `COMP_WORDS=(${quoted}); COMP_CWORD=${line.length - 1}; _wealist; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await promisify(execFile)('bash', ['-c', `${toBash(script)}\n${ask}`]);
  return stdout.split('\n').filter((word) => word !== '');
}

test('bash completes them', async () => {
  expect(await complete('wealist', '')).toEqual(['reload', 'kubectl']);
  expect(await complete('wealist', 'reload', 'fr')).toEqual(['frontend']);
  expect(await complete('wealist', 'reload', 'frontend', '--d')).toEqual(['--dry-run']);
  expect(await complete('wealist', 'reload', '--with', 'mo')).toEqual(['monitoring']);
  expect(await complete('wealist', 'kubectl', '')).toEqual([]);
});

test('the shell function runs the program of the checkout from any folder', async () => {
  const program = join(import.meta.dirname, '../fakes/print-arguments.js');
  const run = `${toBash({ program, words })}\nwealist reload 'a b'`;
  const { stdout } = await promisify(execFile)('bash', ['-c', run]);
  expect(JSON.parse(stdout)).toEqual(['reload', 'a b']);
});

test('quotes and colons in a summary are escaped for zsh and fish', () => {
  expect(toZsh(script)).toContain(`'reload:rebuild a service: it'\\''s quick'`);
  expect(toFish(script)).toContain(`-a reload -d 'rebuild a service: it\\'s quick'`);
  expect(toFish(script)).toContain(`node -- '/a path/it\\'s/bin.js' $argv`);
  expect(toFish(script)).toContain(`-l with -x -a 'monitoring metrics' -d 'this, too'`);
  expect(toZsh(script)).toContain(`node -- '/a path/it'\\''s/bin.js' "$@"`);
});
