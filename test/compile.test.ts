import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { makeTemporaryFolder } from './temporary-folder.ts';

const own = join(import.meta.dirname, '..');

/** A checkout whose program prints `print` and the folder of its recipe. */
async function makeCheckout() {
  const checkout = join(await makeTemporaryFolder(), 'a check out');
  for (const folder of ['src', 'images/one']) await mkdir(join(checkout, folder), { recursive: true });
  for (const file of [
    ...['src/bin.js', 'src/compile.js', 'src/install-dependencies.js', 'src/umask.js'],
    ...['package.json', 'package-lock.json'],
  ]) {
    await copyFile(join(own, file), join(checkout, file));
  }
  await symlink(join(own, 'node_modules'), join(checkout, 'node_modules'));
  await writeFile(
    join(checkout, 'images/one/recipe.ts'),
    'export const recipe: string = import.meta.dirname;\n',
  );
  const print = (what: string) =>
    writeFile(
      join(checkout, 'src/main.ts'),
      `const name: string = process.argv[2] ?? '';
const { recipe } = await import(\`../images/\${name}/recipe.ts\`);
console.log(${what}, recipe);
`,
    );
  await print("'first'");
  return { checkout, print };
}

async function start(checkout: string) {
  const child = spawn(process.execPath, [join(checkout, 'src/bin.js'), 'one'], { stdio: 'pipe' });
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { stdout, stderr, exitCode };
}

const listPrograms = (checkout: string) => readdir(join(checkout, '.wealist/program'));

test('a program is compiled once, and again when a source has changed', async () => {
  const { checkout, print } = await makeCheckout();
  const recipes = join(checkout, 'images/one');
  expect(await start(checkout)).toEqual({ stdout: `first ${recipes}\n`, stderr: '', exitCode: 0 });
  const [first] = await listPrograms(checkout);
  expect(first).toMatch(/^[0-9a-f]{16}$/);

  await writeFile(join(checkout, '.wealist/program', String(first), 'main.js'), "console.log('kept')");
  expect(await start(checkout)).toMatchObject({ stdout: 'kept\n' });

  await print("'second'");
  expect(await start(checkout)).toMatchObject({ stdout: `second ${recipes}\n` });
  expect(await listPrograms(checkout)).toHaveLength(2);
});

test('two processes that start at the same time each have the complete program', async () => {
  const { checkout } = await makeCheckout();
  const ended = await Promise.all([1, 2, 3].map(() => start(checkout)));
  expect(ended.map(({ stdout, exitCode }) => [stdout.split(' ')[0], exitCode])).toEqual(
    ended.map(() => ['first', 0]),
  );
  expect(await listPrograms(checkout)).toHaveLength(1);
});

test('an error is reported with its place in the source', async () => {
  const { checkout, print } = await makeCheckout();
  await print("new Error('a bug').stack");
  expect((await start(checkout)).stdout).toContain(join(checkout, 'src/main.ts:3:'));
});

test('if the compiled program cannot be written, the sources run', async () => {
  const { checkout } = await makeCheckout();
  await writeFile(join(checkout, '.wealist'), 'a file');
  expect(await start(checkout)).toMatchObject({
    stdout: `first ${join(checkout, 'images/one')}\n`,
    exitCode: 0,
  });
});

test('some previous programs are kept for processes that still run them', async () => {
  const { checkout } = await makeCheckout();
  for (let at = 0; at < 25; at++)
    await mkdir(join(checkout, '.wealist/program', `old-${at}`), { recursive: true });
  await start(checkout);
  expect(await listPrograms(checkout)).toHaveLength(20);
  await rm(join(checkout, 'src/main.ts'));
  expect(await start(checkout)).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('src/main.ts'),
  });
});
