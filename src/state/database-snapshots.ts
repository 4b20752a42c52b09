import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { exitCodes, Failure } from '../lib/failure.ts';
import { codeOf, isMissing, syncFolder, writeFileAtomically } from './atomic-file.ts';

const SavedDatabase = z.object({
  name: z.string(),
  /** In the snapshot's folder. */
  file: z.string().regex(/^[\w-]+\.dump$/),
  /** Of the file. */
  bytes: z.number(),
  sha256: z.string(),
});

const Manifest = z.object({
  version: z.literal(1),
  name: z.string(),
  /** ISO 8601 */
  created: z.string(),
  /** PostgreSQL's `server_version_num`. */
  postgres: z.number(),
  /** Image ID by service: what had written the data. */
  images: z.record(z.string(), z.string()),
  databases: z.array(SavedDatabase),
});

/** Databases as they were at one moment. */
export interface DatabaseSnapshot extends z.infer<typeof Manifest> {
  /** Holds its files. */
  readonly folder: string;
}

export type SnapshotContent = Omit<z.infer<typeof Manifest>, 'version'>;

const manifestFile = 'snapshot.json';
const automatic = /^auto-/;
/** Snapshots that nobody asked for; those that a person named stay until he removes them. */
const automaticKept = 3;

/** A name that is a folder's, too; `auto-` is kept for those made before something is lost. */
export function parseSnapshotName(text: string): string | undefined {
  return /^[a-z0-9][a-z0-9._-]{0,62}$/.test(text) && !automatic.test(text) ? text : undefined;
}

/** Below the data of a cluster. */
export function toSnapshotsFolder(data: string, cluster: string): string {
  return join(data, cluster, 'snapshots');
}

/** All whole snapshots, the newest first. What a save left that was killed has no name yet, and is left out. */
export async function listSnapshots(folder: string): Promise<readonly DatabaseSnapshot[]> {
  const names = await readNames(folder);
  const found = await Promise.all(
    names.map((name) => readManifest(join(folder, name)).catch(() => undefined)),
  );
  return found
    .filter((each) => each !== undefined)
    .toSorted((one, other) => other.created.localeCompare(one.created));
}

/**
 * The snapshot of this name, all its files being as they were written.
 * @throws {Failure} exit code 2 when there is none, or a file of it is damaged or missing.
 */
export async function getSnapshot(folder: string, name: string): Promise<DatabaseSnapshot> {
  const known = await readNames(folder);
  if (!known.includes(name)) {
    throw new Failure(`there is no snapshot ${JSON.stringify(name)}`, {
      hint:
        known.length === 0
          ? `npm run db save ${parseSnapshotName(name) ?? 'first'}`
          : `snapshots: ${known.join(', ')}`,
      exitCode: exitCodes.usage,
    });
  }
  const snapshot = await readManifest(join(folder, name)).catch((error) => {
    throw toDamage(name, manifestFile, error);
  });
  for (const { file, sha256 } of snapshot.databases) {
    const found = await hashFile(join(snapshot.folder, file)).catch((error) => {
      throw toDamage(name, file, error);
    });
    if (found !== sha256) throw toDamage(name, file, 'its checksum is not the one it was saved with');
  }
  return snapshot;
}

/**
 * Makes a snapshot in a folder beside its place, then gives it its name: one that was broken off is never taken for a
 * whole one. `fill` writes the files into that folder. @throws {Failure} exit code 2 when the name is taken.
 */
export async function createSnapshot(
  folder: string,
  name: string,
  fill: (folder: string) => Promise<SnapshotContent>,
): Promise<DatabaseSnapshot> {
  await requireFreeName(folder, name);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await removeLeftovers(folder);
  const draft = join(folder, `.${name}.${process.pid}.${randomBytes(4).toString('hex')}`);
  await mkdir(draft, { mode: 0o700 });
  try {
    const content = await fill(draft);
    await writeFileAtomically(
      join(draft, manifestFile),
      `${JSON.stringify({ version: 1, ...content }, undefined, 2)}\n`,
    );
    await rename(draft, join(folder, name));
    // Until then a loss of power would leave a draft, which counts as a leftover.
    await syncFolder(folder);
    return { version: 1, ...content, folder: join(folder, name) };
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
}

/** @throws {Failure} exit code 2 when there is a snapshot of this name: what a person named is never written over. */
export async function requireFreeName(folder: string, name: string): Promise<void> {
  if (!(await readNames(folder)).includes(name)) return;
  throw new Failure(`there is a snapshot ${name} already`, {
    hint: `npm run db save ${name}-2, or remove it: rm -r ${join(folder, name)}`,
    exitCode: exitCodes.usage,
  });
}

/** Removes all but the newest few of those that nobody named. */
export async function pruneAutomatic(folder: string): Promise<void> {
  const all = (await listSnapshots(folder)).filter(({ name }) => automatic.test(name));
  for (const { folder: old } of all.slice(automaticKept)) await rm(old, { recursive: true, force: true });
}

/** An empty file that only its owner may read, for another program to write to. */
export async function makePrivateFile(path: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  await file.close();
  await chmod(path, 0o600);
}

/** SHA-256 in hexadecimal. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** Its content is on the disk. */
export async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

async function readManifest(folder: string): Promise<DatabaseSnapshot> {
  return { ...Manifest.parse(JSON.parse(await readFile(join(folder, manifestFile), 'utf8'))), folder };
}

async function readNames(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch((error) => {
    if (isMissing(error)) return [];
    throw error;
  });
  return names.filter((name) => !name.startsWith('.')).toSorted();
}

/** Of saves whose process is gone, which may be any that are an hour old. */
async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith('.')) continue;
    const path = join(folder, name);
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs > 3_600_000) await rm(path, { recursive: true, force: true });
  }
}

function toDamage(name: string, file: string, cause: unknown): Failure {
  const said = cause instanceof z.ZodError ? 'it is not what a save writes' : (codeOf(cause) ?? cause);
  return new Failure(`snapshot ${name} is damaged: ${file}`, {
    cause: said instanceof SyntaxError ? 'it is cut off or was changed' : said,
    hint: 'npm run db -- --list',
    exitCode: exitCodes.usage,
  });
}
