import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { listFiles } from './folder.ts';

/** The hash of a folder's files by path, content and whether they may be run. */
export async function hashFolder(folder: string): Promise<string> {
  const sum = createHash('sha256');
  for (const { path, isExecutable } of await listFiles(folder)) {
    const content = await readFile(path);
    sum.update(`${relative(folder, path)}\0${isExecutable}\0${content.length}\0`).update(content);
  }
  return sum.digest('hex').slice(0, 16);
}

/** A short hash of plain data; the order of keys counts. */
export function hash(value: unknown): string {
  return hashContent(JSON.stringify(value)).slice(0, 16);
}

/** 64 hexadecimal digits. */
export function hashContent(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
