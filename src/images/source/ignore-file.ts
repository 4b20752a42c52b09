import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseIgnoreRules } from '../../lib/ignore-rules.ts';
import type { DockerfileSource } from './dockerfile-source.ts';

type Place = Pick<DockerfileSource, 'root' | 'dockerfile' | 'context'>;

/** The ignore files that Docker looks for; it reads the first one that exists. */
export function listIgnoreFiles({ root, dockerfile, context }: Place): readonly string[] {
  return [join(root, `${dockerfile}.dockerignore`), join(root, context, '.dockerignore')];
}

/** The ignore file of a Dockerfile; undefined when it has none. */
export async function readIgnoreFile(
  place: Place,
): Promise<{ readonly path: string; readonly text: string } | undefined> {
  for (const path of listIgnoreFiles(place)) {
    const text = await readRules(path);
    if (text !== undefined) return { path, text };
  }
  return undefined;
}

/** Which paths of the context the builder may read. */
export async function readSent(source: Place): Promise<(path: string) => boolean> {
  const isIgnored = parseIgnoreRules((await readIgnoreFile(source))?.text ?? '', { syntax: 'docker' });
  return (path) => !isIgnored(path);
}

/** The text of a file; undefined when it does not exist. */
export async function readRules(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    // A missing file, a file in place of a folder, and a folder of that name.
    if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes(error.code ?? '')) return undefined;
    throw error;
  });
}
