import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { defineCommand } from '../../src/cli/command.ts';
import { readGlobals, splitCommandLine, toCommandLine } from '../../src/cli/command-line.ts';
import { parseInput } from '../../src/cli/parse.ts';
import { commands } from '../../src/commands/index.ts';

const logs = defineCommand({
  description: 'show the logs of services',
  arguments: {
    services: { value: 'service', summary: 'all without', many: true },
  },
  options: {
    since: { value: 'duration', summary: 'younger than this', example: '5m', parse: toMinutes },
    level: { value: 'level', summary: 'at least this', choices: ['info', 'error'] },
    grep: { value: 'text', summary: 'lines with this' },
    showTime: { summary: 'with the time', short: 't' },
  },
  examples: ['npm run logs auth-service -- --since 5m'],
  async run(_, { services, since, level, grep, showTime }) {
    // The types are inferred from the options: a wrong one would not compile.
    const typed: [
      readonly string[],
      number | undefined,
      'info' | 'error' | undefined,
      string | undefined,
      boolean,
    ] = [...([services, since, level, grep, showTime] as const)];
    return typed.length;
  },
});

function toMinutes(text: string): number | undefined {
  const [, minutes] = /^(\d+)m$/.exec(text) ?? [];
  return minutes === undefined ? undefined : Number(minutes);
}

const fails = (...args: string[]) => {
  try {
    parseInput('logs', logs, args);
  } catch (error) {
    return error;
  }
  throw new Error('parsed');
};

test('arguments and options become typed input', () => {
  expect(
    parseInput('logs', logs, ['auth-service', '--since', '5m', '-t', 'frontend', '--level=error']),
  ).toEqual({
    input: {
      services: ['auth-service', 'frontend'],
      since: 5,
      level: 'error',
      grep: undefined,
      showTime: true,
    },
  });
  expect(parseInput('logs', logs, [])).toEqual({
    input: { services: [], since: undefined, level: undefined, grep: undefined, showTime: false },
  });
});

test('global options are accepted, and are not part of the input', () => {
  const parsed = parseInput('logs', logs, ['--json', '-q', '-v', '--no-color']);
  expect(parsed).toEqual(parseInput('logs', logs, []));
});

test('words after -- are never flags', () => {
  expect(parseInput('logs', logs, ['--', '--since'])).toMatchObject({ input: { services: ['--since'] } });
});

test.each([
  [['auth', '--sinse', '5m'], "unknown option '--sinse'", 'npm run logs -- auth --since 5m'],
  [['--grp=a b'], "unknown option '--grp=a b'", "npm run logs -- '--grep=a b'"],
  [['--nothing-like-it'], "unknown option '--nothing-like-it'", 'npm run logs -- --help'],
  [['-x'], "unknown option '-x'", 'npm run logs -- --help'],
  [['--since', 'soon'], '--since takes a duration, not "soon"', 'for example: --since 5m'],
  [['--since'], "option '--since <duration>' argument missing", 'npm run logs -- --help'],
  [['--level', 'loud'], "option '--level <level>' argument 'loud' is invalid", 'npm run logs -- --help'],
])('%j is refused', (args, message, hint) => {
  expect(fails(...args)).toMatchObject({ exitCode: 2, message: expect.stringContaining(message), hint });
});

test('the help has the description, arguments, options and examples', () => {
  const { help = '' } = parseInput('logs', logs, ['--help']);
  expect(help).toMatch(/^Usage: npm run logs \[service\.\.\.\] -- \[options\]\n/);
  for (const text of [
    'show the logs of services',
    '--since <duration>',
    '-t, --show-time',
    '--json',
    '-- --since 5m',
  ]) {
    expect(help).toContain(text);
  }
});

test('a passThrough command gets all words unchanged, including flags', () => {
  const kubectl = defineCommand({
    ...{ description: 'kubectl', passThrough: true },
    arguments: { words: { value: 'argument', summary: '', many: true } },
    async run() {},
  });
  const args = ['get', 'pods', '--help', '-A', '--', '--json'];
  expect(parseInput('kubectl', kubectl, args)).toEqual({ input: { words: args } });
});

test('a command runs through a script of package.json exactly when there is one', async () => {
  const { scripts } = JSON.parse(await readFile('package.json', 'utf8'));
  for (const name of Object.keys(commands)) {
    expect(toCommandLine(name)).toBe(`npm run ${name in scripts ? name : `wealist -- ${name}`}`);
  }
});

test('the command line to type', () => {
  expect(toCommandLine('up')).toBe('npm run up');
  expect(toCommandLine('reload', ['x'])).toBe('npm run reload x');
  expect(toCommandLine('reload', ['x', '--watch'])).toBe('npm run reload -- x --watch');
  expect(toCommandLine('completion', ['bash'])).toBe('npm run wealist -- completion bash');
  expect(toCommandLine('logs', ['--grep', "it's $(id)"])).toBe(`npm run logs -- --grep 'it'\\''s $(id)'`);
});

test('the command is the first word that is not a flag', () => {
  expect(splitCommandLine(['--json', 'up', 'x', '--yes'])).toEqual({
    name: 'up',
    args: ['--json', 'x', '--yes'],
  });
  expect(splitCommandLine(['help', 'up'])).toEqual({ name: 'up', args: ['--help'] });
  expect(splitCommandLine(['--help'])).toEqual({ name: undefined, args: ['--help'] });
  expect(splitCommandLine([])).toEqual({ name: undefined, args: [] });
  expect(splitCommandLine(['help'])).toEqual({ name: undefined, args: ['--help'] });
});

test('global options are found before the -- of a command', () => {
  expect(readGlobals(['up', '-q', '--', '--json'])).toEqual({
    json: false,
    quiet: true,
    verbose: false,
    noColor: false,
  });
});

const rest = defineCommand({
  description: 'another program',
  arguments: {
    service: { value: 'service', summary: '', required: true },
    words: { value: 'command', summary: '', many: true, isRest: true },
  },
  options: { pod: { value: 'name', summary: '' } },
  async run() {},
});

test.each([
  [['auth', '--', 'ls', '-la'], undefined, ['ls', '-la']],
  // npm has removed the --.
  [['auth', 'ls', '-la', '--pod', 'x'], undefined, ['ls', '-la', '--pod', 'x']],
  [['auth', '--pod', 'p', '--', 'env'], 'p', ['env']],
  [['--pod', 'p', 'auth', 'env', '--help'], 'p', ['env', '--help']],
  [['auth', '--pod=p', 'sh', '-c', 'a -- b', '--'], 'p', ['sh', '-c', 'a -- b', '--']],
  [['auth', '--quiet'], undefined, []],
])('%j: words of another program are not parsed', (args, pod, words) => {
  expect(parseInput('shell', rest, args)).toEqual({ input: { service: 'auth', words, pod } });
});
