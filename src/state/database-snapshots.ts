import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { exitCodes, Failure } from '../lib/failure.ts';
import { makeFolder } from '../lib/make-folder.ts';
import { codeOf, isMissing, syncFolder, writeFileAtomically } from './atomic-file.ts';

const SavedDatabase = z.object({
  name: z.string(),
  /** Name in the snapshot's folder. */
  file: z.string().regex(/^[\w-]+\.dump$/),
  /** Size of the file. */
  bytes: z.number(),
  sha256: z.string(),
  /** SQL statements for what belongs to the database itself; snapshots of earlier versions have none. */
  properties: z.array(z.string()).readonly().optional(),
});

const Manifest = z.object({
  version: z.literal(1),
  name: z.string(),
  /** ISO 8601 */
  created: z.string(),
  /** PostgreSQL's `server_version_num`. */
  postgres: z.number(),
  /** Image ID by service: the programs that wrote the data. */
  images: z.record(z.string(), z.string()),
  databases: z.array(SavedDatabase),
});

/** Databases as they were at one moment. */
export interface DatabaseSnapshot extends z.infer<typeof Manifest> {
  /** Path of the folder with its files. */
  readonly folder: string;
}

export type SnapshotContent = Omit<z.infer<typeof Manifest>, 'version'>;

const manifestFile = 'snapshot.json';
const automatic = /^auto-/;
/** Automatic snapshots that are preserved; those that the user named stay until the user removes them. */
const maxAutomatic = 3;

/** The name, if it is valid for a folder; `auto-` is reserved for snapshots taken before data is deleted. */
export function parseSnapshotName(text: string): string | undefined {
  return /^[a-z0-9][a-z0-9._-]{0,62}$/.test(text) && !automatic.test(text) ? text : undefined;
}

/** The folder of snapshots in the data of a cluster. */
export function toSnapshotsFolder(data: string, cluster: string): string {
  return join(data, cluster, 'snapshots');
}

/** All whole snapshots, the newest first. A save that was killed leaves a hidden folder, which is left out. */
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
 * The snapshot of this name, once the checksums of all files are verified.
 * @throws {Failure} exit code 2 when it does not exist, or a file of it is damaged or missing.
 */
export async function getSnapshot(folder: string, name: string): Promise<DatabaseSnapshot> {
  const known = await readNames(folder);
  if (!known.includes(name)) {
    throw new Failure(`snapshot ${JSON.stringify(name)} not found`, {
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
    if (found !== sha256) throw toDamage(name, file, 'its checksum does not match the saved one');
  }
  return snapshot;
}

/**
 * Creates a snapshot in a hidden folder and renames it when it is complete, so that an interrupted one is never used.
 * `fill` writes the files into that folder. @throws {Failure} exit code 2 when the name is taken.
 */
export async function createSnapshot(
  folder: string,
  name: string,
  fill: (folder: string) => Promise<SnapshotContent>,
): Promise<DatabaseSnapshot> {
  await requireFreeName(folder, name);
  await makeFolder(folder, 0o700);
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

/** @throws {Failure} exit code 2 when a snapshot of this name exists: it is never overwritten. */
export async function requireFreeName(folder: string, name: string): Promise<void> {
  if (!(await readNames(folder)).includes(name)) return;
  throw new Failure(`snapshot ${name} already exists`, {
    hint: `npm run db save ${name}-2, or remove it: rm -r ${join(folder, name)}`,
    exitCode: exitCodes.usage,
  });
}

/** Removes all but the newest three automatic snapshots, and keeps those named in `pinned`. */
export async function pruneAutomatic(folder: string, pinned: readonly string[]): Promise<void> {
  const all = (await listSnapshots(folder)).filter(({ name }) => automatic.test(name));
  for (const { name, folder: old } of all.slice(maxAutomatic)) {
    if (!pinned.includes(name)) await rm(old, { recursive: true, force: true });
  }
}

/** Creates an empty file that only its owner may read, for another program to write to. */
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

/** Resolves once the file's content is on the disk. */
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

/** Removes folders of interrupted saves: those that are older than an hour. */
async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith('.')) continue;
    const path = join(folder, name);
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs > 3_600_000) await rm(path, { recursive: true, force: true });
  }
}

function toDamage(name: string, file: string, cause: unknown): Failure {
  const said = cause instanceof z.ZodError ? 'its content is not valid' : (codeOf(cause) ?? cause);
  return new Failure(`snapshot ${name} is damaged: ${file}`, {
    cause: said instanceof SyntaxError ? 'it is truncated or was changed' : said,
    hint: 'npm run db -- --list',
    exitCode: exitCodes.usage,
  });
}
