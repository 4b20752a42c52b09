import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { start } from './e2e/running.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';

const runInGroup = resolve(import.meta.dirname, '../src/run-in-group.ts');

/** `sg` as shadow's: a parent that waits, ignores Ctrl-C and ends as its shell does; without the variables it loses. */
const sg = `#!/bin/sh
[ "$1" = docker ] && [ "$2" = -c ] || exit 99
trap "" INT
unset TMPDIR
sh -c "$3" & wait $!
`;

/** Runs a program by `runInGroup` in a process of its own. */
async function startInGroup(script: string, words: readonly string[] = []) {
  const folder = await makeTemporaryFolder();
  const temporary = join(folder, "it's here");
  await Promise.all([mkdir(join(folder, 'bin')), mkdir(temporary)]);
  await writeFile(join(folder, 'bin/sg'), sg);
  await chmod(join(folder, 'bin/sg'), 0o755);
  const main = `import(${JSON.stringify(runInGroup)}).then(({ runInGroup }) =>
    runInGroup('docker', JSON.parse(process.argv[1])).then((status) => process.exit(status)))`;
  const argv = [process.execPath, '--eval', script, ...words];
  const running = start([process.execPath, '--import', 'tsx', '--eval', main, JSON.stringify(argv)], {
    cwd: resolve(import.meta.dirname, '..'),
    env: {
      ...process.env,
      TMPDIR: temporary,
      PATH: [join(folder, 'bin'), process.env.PATH].join(delimiter),
    },
  });
  return { running, temporary };
}

test('arguments, variables, output and exit code are those of the program itself', async () => {
  const words = ['--', "it's", '$HOME `id` "x"', '', 'a\nb'];
  const print = `console.log(JSON.stringify([process.argv.slice(1), process.env.TMPDIR, process.env.WEALIST_IN_GROUP]));
    console.error('on stderr'); process.exitCode = 7`;
  const { running, temporary } = await startInGroup(print, words);
  const { stdout, stderr, exitCode } = await running.ended;
  expect(JSON.parse(stdout)).toEqual([words.slice(1), temporary, 'docker']);
  expect({ stderr, exitCode }).toEqual({ stderr: 'on stderr\n', exitCode: 7 });
});

const waiting = `process.on('SIGTERM', () => { console.log('terminated'); process.exit(143); });
  process.on('SIGINT', () => setTimeout(() => { console.log('interrupted'); process.exit(130); }, 300));
  console.log('waiting'); setInterval(() => {}, 1000)`;

test('SIGTERM is passed on, and its end awaited', async () => {
  const { running } = await startInGroup(waiting);
  await running.said('waiting');
  running.signal('SIGTERM');
  expect(await running.ended).toMatchObject({ stdout: 'waiting\nterminated\n', exitCode: 143 });
});

test('after Ctrl-C, which reaches all of them, its end is awaited', async () => {
  const { running } = await startInGroup(waiting);
  await running.said('waiting');
  running.signalGroup('SIGINT');
  expect(await running.ended).toMatchObject({ stdout: 'waiting\ninterrupted\n', exitCode: 130 });
});
