import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import packageJson from '../package.json' with { type: 'json' };
import { commands } from '../src/commands/index.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';

const checkout = join(import.meta.dirname, '..');
const program = join(checkout, 'src/bin.js');

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | null;
}

function start(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  // Without the variables set by vitest and npm.
  const { PATH = '', HOME = '', TMPDIR = '/tmp' } = process.env;
  const [command = '', ...args] = words[0] === 'npm' ? words : [process.execPath, program, ...words];
  const child = spawn(command, args, { cwd: checkout, env: { PATH, HOME, TMPDIR, ...env }, stdio: 'pipe' });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return {
    child,
    ended: ended.then(([stdout, stderr, [exitCode]]): Ended => ({ stdout, stderr, exitCode })),
  };
}

const run = (...words: string[]) => start(words).ended;

/** A state folder with a cluster, and this shell script as kubectl. */
async function makeKubectl(script: string) {
  const folder = await makeTemporaryFolder();
  await mkdir(join(folder, 'bin'));
  await writeFile(join(folder, 'kubeconfig'), '');
  await writeFile(join(folder, 'bin/kubectl'), `#!/bin/sh\n${script}\n`);
  await chmod(join(folder, 'bin/kubectl'), 0o755);
  return { WEALIST_STATE_DIR: folder };
}

test('--help lists every command on stdout', async () => {
  const { stdout, stderr, exitCode } = await run('--help');
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  for (const { summary } of Object.values(commands)) expect(stdout).toContain(summary);
  expect(await run()).toEqual({ stdout, stderr: '', exitCode: 0 });
});

test.each(Object.keys(commands).filter((name) => name !== 'kubectl'))('%s has its own help', async (name) => {
  const { stdout, stderr, exitCode } = await run(name, '--help');
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  expect(stdout).toMatch(/^Usage: npm run /);
});

test.each([
  [['completon'], '✗ "completon" is not a command\n  fix      npm run wealist -- completion\n'],
  [['constructor'], '✗ "constructor" is not a command\n  fix      npm run wealist -- --help\n'],
  [
    ['completion', 'bash', '--quite'],
    "✗ unknown option '--quite'\n  fix      npm run wealist -- completion bash --quiet\n",
  ],
  [['--yes'], '✗ --yes is given without a command\n  fix      npm run wealist -- --help\n'],
])('%j: exit code 2 and a fix', async (words, stderr) => {
  expect(await run(...words)).toEqual({ stdout: '', stderr, exitCode: 2 });
});

test('under --json a failure is JSON on stdout, too', async () => {
  const { stdout, exitCode } = await run('completion', 'tcsh', '--json');
  expect(exitCode).toBe(2);
  expect(JSON.parse(stdout)).toMatchObject({
    error: { exitCode: 2, hint: 'npm run wealist -- completion --help' },
  });
});

test('a closed output does not cause a stack trace', async () => {
  const { child, ended } = start(['--help']);
  child.stdout.destroy();
  const [, stderr] = await Promise.all([ended.catch(() => {}), text(child.stderr)]);
  expect(stderr).toBe('');
});

test('kubectl gets its words unparsed and our kubeconfig, and its exit code is returned', async () => {
  const env = await makeKubectl('echo "$KUBECONFIG"; printf "%s\\n" "$@"; exit 7');
  const { stdout, exitCode } = await start(['kubectl', 'get', 'pods', '-A', '--help', '$(id)'], env).ended;
  expect(stdout.split('\n')).toEqual([
    join(env.WEALIST_STATE_DIR, 'kubeconfig'),
    'get',
    'pods',
    '-A',
    '--help',
    '$(id)',
    '',
  ]);
  expect(exitCode).toBe(7);
});

test('kubectl without a cluster of this checkout is not run', async () => {
  const env = await makeKubectl('echo asked');
  const state = join(env.WEALIST_STATE_DIR, 'none');
  const { stdout, stderr, exitCode } = await start(['kubectl', 'get', 'pods'], { WEALIST_STATE_DIR: state })
    .ended;
  expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 5 });
  expect(stderr).toBe('✗ no cluster has been created yet\n  fix      npm run up\n');
});

test.each(['SIGTERM', 'SIGINT'] as const)(
  'npm forwards %s, and no process is left running',
  async (signal) => {
    const env = await makeKubectl('echo $$; exec sleep 60');
    const { child, ended } = start(['npm', 'run', '--silent', 'kubectl'], env);
    const [line] = await once(child.stdout, 'data');
    child.kill(signal);
    await ended;
    expect(() => process.kill(Number(line), 0)).toThrow('ESRCH');
  },
);

test('a flag that npm did not pass on is refused by the command', async () => {
  // npm has a --json of its own.
  const { stderr, exitCode } = await run('npm', 'run', '--silent', 'wealist', 'completion', 'bash', '--json');
  expect(exitCode).toBe(2);
  expect(stderr).toContain('fix      npm run wealist -- completion bash --json\n');
});

// Node 20 takes its own options, such as --env-file, from the whole command line up to the first `--`.
test('every npm script that runs the program uses exec and ends the options of node', () => {
  const { scripts } = packageJson;
  const ours = Object.entries(scripts).filter(([, script]) => script.includes('src/bin.js'));
  expect(ours.length).toBeGreaterThan(5);
  for (const [name, script] of ours) {
    const words = name === 'wealist' ? '' : ` ${name}`;
    expect(script).toBe(`exec node -- src/bin.js${words}`);
  }
});
