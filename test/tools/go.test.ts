import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
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

const linux = { os: 'linux', architecture: 'amd64' };

/** A Go that runs on Linux and logs what it is told. */
const log = `[ "$1" = env ] && { printf 'linux\\namd64\\n'; exit; }
echo "$@ | $GOOS $GOARCH $GOBIN $CGO_ENABLED $GOCACHE" >> "$LOG"; echo example.test/a`;

test('a published program is installed, static, into the folder, with caches of our own', async () => {
  const { folder, exec: there, run, lines, log: read } = await makeMachine({ go: log });
  await createGo(there, '/cache').build({ package: 'example.test/kind', version: 'v1' }, linux, folder, run);
  expect(await read()).toContain(
    `install -v -trimpath -ldflags -s -w example.test/kind@v1 | linux amd64 ${folder} 0 /cache/build`,
  );
  expect(lines).toEqual(['example.test/a']);
});

test('a program of a module here is built there', async () => {
  const { folder, exec: there, run, log: read } = await makeMachine({ go: log });
  const program = { module: folder, package: './kube', ldflags: '-X a=b' };
  await createGo(there, '/cache').build(program, { os: 'linux', architecture: 'arm64' }, '/out', run);
  expect(await read()).toContain(
    'build -v -trimpath -ldflags -s -w -X a=b -o /out/ ./kube | linux arm64  0 /cache/build',
  );
});

test('a published program for another platform: Go puts it below GOPATH, and takes no GOBIN', async () => {
  const foreign = `[ "$1" = env ] && { printf 'darwin\\narm64\\n'; exit; }
    [ -z "$GOBIN" ] || { echo 'go: cannot install cross-compiled binaries when GOBIN is set' >&2; exit 1; }
    mkdir -p "$GOPATH/bin/\${GOOS}_$GOARCH" "$GOPATH/pkg" && echo program > "$GOPATH/bin/\${GOOS}_$GOARCH/kind"`;
  const { folder, exec: there, run } = await makeMachine({ go: foreign });
  const out = join(folder, 'out');
  await mkdir(out);
  const kind = { package: 'example.test/kind', version: 'v1' };
  await createGo(there, '/cache').build(kind, linux, out, run);
  expect(await readdir(out)).toEqual(['kind']);
  // A user may have set it with `go env -w`, which an empty variable does not override.
  const set: Exec = (program, args, options) =>
    there(program, args, { ...options, env: { ...options?.env, GOBIN: '/home/ada/bin' } });
  await expect(createGo(set, '/cache').build(kind, linux, out, run)).rejects.toMatchObject({
    hint: 'go env -u GOBIN',
    exitCode: 3,
  });
});

const hasGo = await exec('go', ['version']).then(
  () => true,
  () => false,
);

test.skipIf(!hasGo)(
  'Go builds for the platform that it is told, whatever this machine is',
  async () => {
    const module = await makeTemporaryFolder();
    await writeFile(join(module, 'go.mod'), 'module example.test/hello\n\ngo 1.24\n');
    await writeFile(join(module, 'main.go'), 'package main\n\nfunc main() { println("hello") }\n');
    const out = await makeTemporaryFolder();
    const run = { signal: new AbortController().signal, report: () => {} };
    const go = createGo(exec, await makeTemporaryFolder());
    const build = async (os: string, architecture: string) => {
      await go.build({ module, package: '.' }, { os, architecture }, out, run);
      return (await readFile(join(out, 'hello'))).subarray(0, 20);
    };
    // Bytes 18 and 19 of an ELF file are the machine's number.
    expect((await build('linux', 'arm64')).subarray(1, 4).toString()).toBe('ELF');
    expect((await build('linux', 'arm64')).readUInt16LE(18)).toBe(183);
    expect((await build('linux', 'amd64')).readUInt16LE(18)).toBe(62);
    expect((await build('darwin', 'arm64')).readUInt32LE(0)).toBe(0xfeedfacf);
    await go.clean(run);
  },
  120_000,
);

test('the error of a build is reported without the packages that were compiled before and after it', async () => {
  const packages =
    'for at in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21; do echo example.test/$at >&2; done';
  const error = 'echo "# example.test/a" >&2; echo "a.go:51:23: undefined: settings.Validate" >&2';
  const {
    folder,
    exec: there,
    run,
  } = await makeMachine({
    go: `[ "$1" = env ] || { echo "go: downloading example.test/a v1" >&2; ${error}; ${packages}; exit 1; }`,
  });
  const program = { package: 'example.test/kind', version: 'v1' };
  await expect(createGo(there, '/cache').build(program, linux, folder, run)).rejects.toMatchObject({
    cause: { stderr: '# example.test/a\na.go:51:23: undefined: settings.Validate' },
  });
});

test('a failed build names the package, with the output of Go as the cause', async () => {
  const {
    folder,
    exec: there,
    run,
  } = await makeMachine({
    go: '[ "$1" = env ] || { echo "no required module" >&2; exit 1; }',
  });
  const building = createGo(there, '/cache').build(
    { package: 'example.test/kind', version: 'v1' },
    linux,
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
    createGo(there, '/cache').build({ package: 'example.test/kind', version: 'v1' }, linux, folder, run),
  ).rejects.toMatchObject({ exitCode: 3, hint: expect.stringContaining('https://go.dev/dl/') });
  const root = { suite: 'trixie', variant: 'extract', packages: ['a'] } as const;
  const debian = createDebian((program, args, options) =>
    program === 'apt-get' ? Promise.resolve({ stdout: '', stderr: '' }) : there(program, args, options),
  );
  await expect(debian.makeRoot(root, 'amd64', join(folder, 'root.tar'), run)).rejects.toMatchObject({
    exitCode: 3,
    hint: 'sudo apt-get install -y mmdebstrap',
  });
});
