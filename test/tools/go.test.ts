import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createDebian } from '../../src/tools/debian.ts';
import { type Exec, exec } from '../../src/tools/exec.ts';
import { createGo } from '../../src/tools/go.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

/** A machine whose only programs of its own are these shell scripts. */
async function makeMachine(scripts: Readonly<Record<string, string>>) {
  const folder = await makeTemporaryFolder();
  const bin = join(folder, 'bin');
  await mkdir(bin);
  for (const [name, script] of Object.entries(scripts)) {
    await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(bin, name), 0o755);
  }
  const there: Exec = (program, args, options = {}) =>
    exec(scripts[program] === undefined ? join(bin, program) : program, args, {
      ...options,
      env: { ...options.env, PATH: `${bin}:${process.env.PATH}`, LOG: join(folder, 'log') },
    });
  const lines: string[] = [];
  const run = { signal: new AbortController().signal, report: (line: string) => lines.push(line) };
  return { folder, exec: there, lines, run, log: () => readFile(join(folder, 'log'), 'utf8') };
}

const log = 'echo "$@ | $GOBIN $CGO_ENABLED $GOCACHE" >> "$LOG"; echo example.test/a';

test('a published program is installed, static, into the folder, with caches of our own', async () => {
  const { folder, exec: there, run, lines, log: read } = await makeMachine({ go: log });
  await createGo(there, '/cache').build({ package: 'example.test/kind', version: 'v1' }, folder, run);
  expect(await read()).toContain(
    `install -v -trimpath -ldflags -s -w example.test/kind@v1 | ${folder} 0 /cache/build`,
  );
  expect(lines).toEqual(['example.test/a']);
});

test('a program of a module here is built there', async () => {
  const { folder, exec: there, run, log: read } = await makeMachine({ go: log });
  const program = { module: folder, package: './kube', ldflags: '-X a=b' };
  await createGo(there, '/cache').build(program, '/out', run);
  expect(await read()).toContain('build -v -trimpath -ldflags -s -w -X a=b -o /out/ ./kube');
});

test('the error of a build is reported without the packages that were compiled before and after it', async () => {
  const packages =
    'for at in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21; do echo example.test/$at >&2; done';
  const error = 'echo "# example.test/a" >&2; echo "a.go:51:23: undefined: settings.Validate" >&2';
  const {
    folder,
    exec: there,
    run,
  } = await makeMachine({
    go: `[ "$1" = version ] || { echo "go: downloading example.test/a v1" >&2; ${error}; ${packages}; exit 1; }`,
  });
  const program = { package: 'example.test/kind', version: 'v1' };
  await expect(createGo(there, '/cache').build(program, folder, run)).rejects.toMatchObject({
    cause: { stderr: '# example.test/a\na.go:51:23: undefined: settings.Validate' },
  });
});

test('a failed build names the package, with the output of Go as the cause', async () => {
  const {
    folder,
    exec: there,
    run,
  } = await makeMachine({
    go: '[ "$1" = version ] || { echo "no required module" >&2; exit 1; }',
  });
  const building = createGo(there, '/cache').build(
    { package: 'example.test/kind', version: 'v1' },
    folder,
    run,
  );
  await expect(building).rejects.toMatchObject({
    message: 'example.test/kind could not be built from its Go module',
    exitCode: 7,
    cause: expect.objectContaining({ stderr: 'no required module' }),
  });
});

test('without Go, and without mmdebstrap, the hint installs it', async () => {
  const { folder, exec: there, run } = await makeMachine({});
  await expect(
    createGo(there, '/cache').build({ package: 'example.test/kind', version: 'v1' }, folder, run),
  ).rejects.toMatchObject({ exitCode: 3, hint: expect.stringContaining('https://go.dev/dl/') });
  const root = { suite: 'trixie', variant: 'extract', packages: ['a'] } as const;
  const debian = createDebian((program, args, options) =>
    program === 'apt-get' ? Promise.resolve({ stdout: '', stderr: '' }) : there(program, args, options),
  );
  await expect(debian.makeRoot(root, join(folder, 'root.tar'), run)).rejects.toMatchObject({
    exitCode: 3,
    hint: 'sudo apt-get install -y mmdebstrap',
  });
});
