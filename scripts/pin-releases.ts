import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { download } from '../src/tools/download.ts';
import { type ToolName, toolRelease } from '../src/tools/releases.ts';

/**
 * Writes the checksums of the releases of `src/tools/versions.ts`, as their publishers state them, into
 * `src/tools/release-checksums.ts`. To be run after a version was changed, and its result reviewed. `--print` prints them.
 */
const file = join(import.meta.dirname, '../src/tools/release-checksums.ts');
const tools: readonly ToolName[] = ['kind', 'kubectl', 'helm'];
const platforms = ['darwin', 'linux'].flatMap((os) => ['amd64', 'arm64'].map((arch) => ({ os, arch })));
const releases = tools.flatMap((tool) => platforms.map(({ os, arch }) => toolRelease(tool, os, arch)));

const lines = await Promise.all(
  releases.map(async ({ name, checksum }) => {
    const text = (await download(checksum, new AbortController().signal)).toString('utf8');
    const sha256 = /^[0-9a-f]{64}(?=\s|$)/.exec(text)?.[0];
    if (sha256 === undefined) throw new Error(`${checksum} does not begin with a SHA-256`);
    return `  '${name}': '${sha256}',`;
  }),
);
const list = `export const releaseChecksums: Readonly<Record<string, string>> = {\n${lines.join('\n')}\n};\n`;
if (process.argv.includes('--print')) process.stdout.write(list);
else await writeFile(file, `${await readDocumentation()}${list}`);

/** What stands before the list. */
async function readDocumentation(): Promise<string> {
  const { readFile } = await import('node:fs/promises');
  return (await readFile(file, 'utf8')).split('export const')[0] ?? '';
}
