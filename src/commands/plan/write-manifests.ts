import { lstat, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Rendering } from '../../diff/compare.ts';
import { withoutSecrets } from '../../diff/manifest.ts';
import { exitCodes, Failure } from '../../lib/failure.ts';
import { makeFolder } from '../../lib/make-folder.ts';
import { scrubSecrets } from '../../lib/secret-values.ts';
import { writeFileAtomically } from '../../state/atomic-file.ts';

/** Every written file begins with this, so that a later run recognizes it. */
const mark = '# Written by npm run plan';

export interface WriteOptions {
  readonly folder: string;
  readonly environment: string;
  /** Whether to replace files that `plan` has not written. */
  readonly overwrite: boolean;
  /** Whether to include the values of Secrets, in files that only the user can read. */
  readonly withSecrets: boolean;
}

/**
 * Writes the manifests, one file for each release, and removes those that an earlier run wrote and this one does not.
 * Resolves to the names of the files.
 * @throws {Failure} exit code 9, with their names, when it would overwrite other files; 2 when `folder` is not a folder.
 */
export async function writeManifests(
  renderings: readonly Rendering[],
  { folder, environment, overwrite, withSecrets }: WriteOptions,
): Promise<readonly string[]> {
  const names = renderings.map(({ release }) => `${release}.yaml`);
  const found = await listFiles(folder);
  const foreign = found.filter(({ name, isOurs }) => !isOurs && names.includes(name));
  if (foreign.length > 0 && !overwrite) {
    throw new Failure(`${folder} has files that plan did not write, and they would be overwritten`, {
      cause: foreign.map(({ name }) => name).join('\n'),
      hint: 'choose another folder, or confirm with --yes',
      exitCode: exitCodes.refused,
    });
  }
  await makeFolder(folder);
  for (const [at, rendering] of renderings.entries()) {
    const file = join(folder, names[at] ?? '');
    // A folder or symbolic link is replaced, not followed.
    if (overwrite) await rm(file, { recursive: true, force: true });
    await writeFileAtomically(file, toText(rendering), withSecrets ? 0o600 : 0o644);
  }
  for (const { name, isOurs } of found) if (isOurs && !names.includes(name)) await rm(join(folder, name));
  return names;

  function toText({ release, namespace, manifests }: Rendering): string {
    const shown = withSecrets ? manifests : manifests.map(withoutSecrets);
    // Kubernetes reads YAML 1.1, where strings such as on or 0644 must be quoted.
    const text = shown.map((manifest) => stringify(manifest, { lineWidth: 0, version: '1.1' })).join('---\n');
    const head = `${mark}: environment ${environment}, release ${release}, namespace ${namespace}.\n`;
    return `${head}${withSecrets ? text : scrubSecrets(text)}`;
  }
}

async function listFiles(
  folder: string,
): Promise<readonly { readonly name: string; readonly isOurs: boolean }[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    if (error.code !== 'ENOTDIR') throw error;
    throw new Failure(`${folder} is not a folder`, {
      hint: 'give --out a folder; it is created if it does not exist',
      exitCode: exitCodes.usage,
    });
  });
  return Promise.all(
    names.map(async (name) => {
      const file = join(folder, name);
      const isFile = name.endsWith('.yaml') && (await lstat(file)).isFile();
      return { name, isOurs: isFile && (await readFile(file, 'utf8')).startsWith(mark) };
    }),
  );
}
