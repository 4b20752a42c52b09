import { randomFillSync } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CommandFailure } from '../../src/lib/failure.ts';
import { hashFile } from '../../src/state/database-snapshots.ts';
import { exec } from '../../src/tools/exec.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const mebibyte = 1024 * 1024;

/** A file of bytes that cannot be compressed. */
async function writeRandomFile(path: string, mebibytes: number): Promise<void> {
  const file = await open(path, 'w');
  try {
    const block = Buffer.alloc(mebibyte);
    for (let at = 0; at < mebibytes; at++) await file.write(randomFillSync(block));
  } finally {
    await file.close();
  }
}

test('200 MiB from a program to a file and back to a program do not pass through the memory', async () => {
  const folder = await makeTemporaryFolder();
  const source = join(folder, 'source');
  const copy = join(folder, 'copy');
  await writeRandomFile(source, 200);
  const script = join(import.meta.dirname, 'exec-stream.ts');
  const { stdout } = await exec(process.execPath, ['--import', 'tsx', script, source, copy]);
  const { growth, sha256 } = JSON.parse(stdout);
  const hash = await hashFile(source);
  expect(await hashFile(copy)).toBe(hash);
  expect(sha256).toBe(hash);
  expect(growth).toBeLessThan(100 * mebibyte);
}, 60_000);

test('an output file has only what the program printed, and the error names the program that failed', async () => {
  const path = join(await makeTemporaryFolder(), 'output');
  await writeFile(path, 'a longer earlier content');
  expect(await exec('printf', ['a\\n\\n'], { outputFile: path })).toEqual({ stdout: '', stderr: '' });
  expect(await readFile(path, 'utf8')).toBe('a\n\n');
  const failing = exec('sh', ['-c', 'echo half; echo why >&2; exit 3'], { outputFile: path });
  await expect(failing).rejects.toMatchObject({ message: 'sh ended with exit code 3', stderr: 'why' });
  expect((await stat(path)).size).toBe(5);
});

test('a full disk below the output file is named, which the program cannot do', async () => {
  if (process.platform !== 'linux') return;
  await expect(exec('echo', ['x'], { outputFile: '/dev/full' })).rejects.toMatchObject({
    message: 'write /dev/full: no space left on device',
    hint: 'npm run images -- prune, or make room on the disk of /dev',
    exitCode: 3,
  });
});

describe('more than 64 MiB that are not a file end in a Failure', () => {
  const tooMuch = 70 * mebibyte;
  test.each([
    ['zeros', `head -c ${tooMuch} /dev/zero`],
    ['zeros on standard error', `head -c ${tooMuch} /dev/zero >&2`],
    ['lines without end, by a program that ignores SIGTERM', `trap '' TERM; yes "$(printf %10000s)"`],
  ])(
    '%s',
    async (_, script) => {
      await expect(exec('sh', ['-c', script])).rejects.toMatchObject({
        name: 'CommandFailure',
        message: 'sh printed more than 64 MiB',
        exitCode: 3,
      });
      await expect(exec('sh', ['-c', script], { onLine() {} })).rejects.toThrow(
        'sh printed more than 64 MiB',
      );
    },
    60_000,
  );

  test('a program that fails after it printed 60 MiB of zeros', async () => {
    const script = `head -c ${60 * mebibyte} /dev/zero; echo why >&2; exit 1`;
    const error = await exec('sh', ['-c', script]).catch((failure: CommandFailure) => failure);
    // Compared one by one: vitest takes long to print an object with 60 MiB.
    expect([error.stderr, error.stdout.length]).toEqual(['why', 60 * mebibyte]);
  });
});

describe('what is missing is named', () => {
  test('the program', async () => {
    await expect(exec('no-such-program', [])).rejects.toThrow(/^no-such-program is not installed$/);
    // The system reports EACCES where a folder on PATH is not open to this user, which none is to root.
    const closed = join(await makeTemporaryFolder(), 'closed');
    await mkdir(closed, { mode: 0 });
    const env = { PATH: `${closed}:${process.env.PATH}` };
    await expect(exec('no-such-program', [], { env })).rejects.toThrow(/^no-such-program is not installed$/);
  });

  test('the folder to run it in', async () => {
    await expect(exec('cat', [], { cwd: '/no-such-folder' })).rejects.toThrow(
      /^the working directory of cat does not exist: \/no-such-folder$/,
    );
  });

  test('the file of its input', async () => {
    await expect(exec('cat', [], { inputFile: '/no-such-file' })).rejects.toMatchObject({
      message: '/no-such-file cannot be opened',
      exitCode: 3,
    });
    await expect(exec('cat', [], { input: createReadStream('/no-such-file') })).rejects.toMatchObject({
      message: 'the input of cat cannot be read',
      cause: expect.stringContaining('/no-such-file'),
    });
  });

  test('the permission to start it', async () => {
    await expect(exec(import.meta.filename, [])).rejects.toThrow(/cannot be started \(EACCES\)$/);
  });
});

test('a killed program whose own program holds its outputs open ends the run', async () => {
  const script = 'trap "" TERM; sleep 60; echo never';
  const stopped = new AbortController();
  const lines: string[] = [];
  const running = exec('sh', ['-c', `echo begun; ${script}`], {
    signal: stopped.signal,
    onLine: (line) => void lines.push(line),
  });
  await expect.poll(() => lines).toEqual(['begun']);
  stopped.abort(new Error('interrupted'));
  await expect(running).rejects.toThrow('interrupted');
  await expect(exec('sh', ['-c', script], { timeout: 100 })).rejects.toThrow('sh timed out');
}, 30_000);
test('a program that is started behind a proxy asks this machine directly', async () => {
  const read = async (env: Readonly<Record<string, string>>) => {
    const none = {
      HTTP_PROXY: '',
      http_proxy: '',
      HTTPS_PROXY: '',
      https_proxy: '',
      NO_PROXY: '',
      no_proxy: '',
    };
    const { stdout } = await exec('sh', ['-c', 'echo "$NO_PROXY $no_proxy"'], { env: { ...none, ...env } });
    return stdout.split(' ');
  };
  const both = (value: string) => [value, value];
  expect(await read({ HTTPS_PROXY: 'http://proxy:3128' })).toEqual(both('127.0.0.1,localhost'));
  const some = { http_proxy: 'proxy:3128', no_proxy: '.corp.example, localhost' };
  expect(await read(some)).toEqual(both('.corp.example,localhost,127.0.0.1'));
  expect(await read({ http_proxy: 'proxy:3128', NO_PROXY: '*' })).toEqual(both('*'));
  expect(await read({ NO_PROXY: 'a.example' })).toEqual(['a.example', '']);
});
