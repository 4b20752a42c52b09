import { join } from 'node:path';
import { exitCodes, Failure } from '../lib/failure.ts';
import type { Step } from '../plan/plan.ts';
import type { DatabaseSnapshot } from '../state/database-snapshots.ts';
import type { Postgres } from '../tools/postgres.ts';

/** Name of the new database until it replaces the current one. */
function toNew(database: string): string {
  return `${database}_new`;
}

/** Name of the replaced database until it is dropped. */
function toOld(database: string): string {
  return `${database}_old`;
}

/** Whether this is a temporary database of an interrupted replacement. */
export function isLeftover(name: string, databases: readonly string[]): boolean {
  return databases.some((database) => name === toNew(database) || name === toOld(database));
}

/**
 * For each database an empty new one is created, with the same owner and privileges.
 * @param bootstrap returns the idempotent script that creates the databases of all services; it is run with other names
 */
export function makeNewDatabases(
  postgres: Postgres,
  databases: readonly string[],
  bootstrap: (signal: AbortSignal) => Promise<string>,
): Step {
  return {
    title: 'create empty new databases',
    async apply({ signal }) {
      const script = await bootstrap(signal);
      const unknown = databases.filter((name) => !script.includes(`"${name}"`));
      if (unknown.length > 0) {
        throw new Failure(`no service of this environment has a database ${unknown.join(', ')}`, {
          hint: 'npm run db -- --list',
          exitCode: exitCodes.usage,
        });
      }
      const leftovers = databases.flatMap((name) => [toNew(name), toOld(name)]);
      await postgres.run(leftovers.map(toDrop).join(''), signal);
      const renamed = databases.reduce(
        (text, name) =>
          text.replaceAll(`"${name}"`, `"${toNew(name)}"`).replaceAll(`'${name}'`, `'${toNew(name)}'`),
        script,
      );
      await postgres.run(renamed, signal);
    },
  };
}

/** The new database has the content of this database's dump in the snapshot. */
export function restoreDatabase(postgres: Postgres, snapshot: DatabaseSnapshot, database: string): Step {
  return {
    title: `restore ${database}`,
    async apply({ signal }) {
      const saved = snapshot.databases.find(({ name }) => name === database);
      if (!saved) throw new Error(`${database} is not in snapshot ${snapshot.name}`);
      await postgres.restore(toNew(database), join(snapshot.folder, saved.file), saved.sha256, signal);
    },
  };
}

/**
 * The new databases replace the current ones in one transaction: all of them or none. Clients are disconnected and
 * reach the new ones when they reconnect.
 */
export function swapDatabases(postgres: Postgres, databases: readonly string[]): Step {
  return {
    title: 'replace the current databases, all at once',
    async apply({ signal }) {
      const existing = new Set((await postgres.listDatabases(signal)).map(({ name }) => name));
      const renames = databases.flatMap((name) => [
        ...(existing.has(name) ? [toRename(name, toOld(name))] : []),
        toRename(toNew(name), name),
      ]);
      await postgres.rename(`BEGIN;\n${renames.join('')}COMMIT;\n`, databases, signal);
      await postgres.run(databases.map((name) => toDrop(toOld(name))).join(''), signal);
    },
  };
}

function toRename(from: string, to: string): string {
  return `ALTER DATABASE "${from}" RENAME TO "${to}";\n`;
}

function toDrop(name: string): string {
  return `DROP DATABASE IF EXISTS "${name}" WITH (FORCE);\n`;
}
