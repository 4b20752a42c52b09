import { join } from 'node:path';
import { toBytes } from '../lib/bytes.ts';
import { Failure } from '../lib/failure.ts';
import type { Run, Step } from '../plan/plan.ts';
import { createSnapshot, hashFile, makePrivateFile, syncFile } from '../state/database-snapshots.ts';
import type { Dump, DumpedDatabases, Postgres } from '../tools/postgres.ts';

export interface SaveOptions {
  readonly postgres: Postgres;
  /** Folder of all snapshots. */
  readonly folder: string;
  readonly name: string;
  readonly databases: readonly string[];
  /** Image IDs by service, asked at the time of the dump. */
  readonly images: (signal: AbortSignal) => Promise<Readonly<Record<string, string>>>;
}

/** The databases, as they are at one moment, are saved as a snapshot on this machine. */
export function saveDatabases({ postgres, folder, name, databases, images }: SaveOptions): Step {
  return {
    title: `save ${databases.length === 1 ? databases[0] : `${databases.length} databases`} as ${name}`,
    async apply(run) {
      const { signal } = run;
      await createSnapshot(folder, name, async (draft) => {
        const [version, running] = await Promise.all([postgres.readVersion(signal), images(signal)]);
        run.report('writes are blocked during the dump');
        const created = new Date().toISOString();
        const dumped = await postgres.dump(databases, signal);
        try {
          await Promise.all(dumped.dumps.map((dump) => fetchDump(dumped, dump, draft, run)));
        } finally {
          await dumped.remove();
        }
        const saved = dumped.dumps.map(({ database, bytes, sha256, properties }) => {
          return { name: database, file: toFile(database), bytes, sha256, properties };
        });
        return { name, created, postgres: version, images: running, databases: saved };
      });
    },
  };
}

function toFile(database: string): string {
  return `${database}.dump`;
}

/** Copies a dump to this machine. @throws {Failure} when its content is not what was dumped. */
async function fetchDump(dumped: DumpedDatabases, dump: Dump, draft: string, run: Run): Promise<void> {
  const path = join(draft, toFile(dump.database));
  await makePrivateFile(path);
  await dumped.fetch(dump, path, run.signal);
  run.report(`${dump.database}: ${toBytes(dump.bytes)}`);
  if ((await hashFile(path)) !== dump.sha256) {
    throw new Failure(`the copied dump of ${dump.database} is damaged`, { hint: 'npm run db save' });
  }
  await syncFile(path);
}
