import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import { parse } from 'yaml';

const repository = resolve(import.meta.dirname, '../..');

/** A folder with the repository's environments, a folder for each stand-in, and these files; gone after the test. */
export async function createCheckout(
  files: Readonly<Record<string, string | Uint8Array>> = {},
): Promise<string> {
  const checkout = await mkdtemp(join(tmpdir(), 'wealist-config-'));
  onTestFinished(() => rm(checkout, { recursive: true, force: true }));
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
