import { readFileSync } from 'node:fs';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const repository = resolve(import.meta.dirname, '../..');

/** A folder with the repository's environments, a folder for each stand-in, and these files; gone after the test. */
export async function createCheckout(
  files: Readonly<Record<string, string | Uint8Array>> = {},
): Promise<string> {
  const checkout = await makeTemporaryFolder();
  await mkdir(join(checkout, 'env'));
  for (const file of ['base.yaml', 'local-kind.yaml']) {
    await cp(join(repository, 'env', file), join(checkout, 'env', file));
  }
  const { services } = parse(await readFile(join(checkout, 'env/base.yaml'), 'utf8'));
  for (const name of Object.keys(services))
    await mkdir(join(checkout, 'services', name), { recursive: true });
  for (const [file, content] of Object.entries(files)) {
    await mkdir(dirname(join(checkout, file)), { recursive: true });
    await writeFile(join(checkout, file), content);
  }
  return checkout;
}

/** Where the repository's file has the value at these keys: `env/base.yaml:8:12`. */
export function placeOf(file: string, ...keys: readonly string[]): string {
  const lines = readFileSync(join(repository, file), 'utf8').split('\n');
  let line = -1;
  for (const key of keys)
    line = lines.findIndex((text, index) => index > line && text.trimStart().startsWith(`${key}:`));
  return `${file}:${line + 1}:${(lines[line] ?? '').indexOf(': ') + 3}`;
}
