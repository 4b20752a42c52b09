import { join } from 'node:path';
import { exitCodes, Failure } from '../lib/failure.ts';
import type { Step } from '../plan/plan.ts';
import type { DatabaseSnapshot } from '../state/database-snapshots.ts';
import type { Postgres } from '../tools/postgres.ts';

/** The name under which a database is made before it takes its place. */
function toNew(database: string): string {
  return `${database}_new`;
}

/** The name of what was in its place, until it is dropped. */
function toOld(database: string): string {
  return `${database}_old`;
}

/** Names that are no database of a service but what a replacement left that was broken off. */
export function isLeftover(name: string, databases: readonly string[]): boolean {
  return databases.some((database) => name === toNew(database) || name === toOld(database));
}

/**
 * Each database has an empty one beside it, made by the script that made itself: with its owner and its rights.
 * `bootstrap` is that script, idempotent, and knows every database by its name.
 */
export function makeNewDatabases(
  postgres: Postgres,
  databases: readonly string[],
  bootstrap: (signal: AbortSignal) => Promise<string>,
): Step {
  return {
    title: 'make empty databases beside them',
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

/** The new database holds what the snapshot has of this one. */
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
 * The new databases are in the place of the old ones: all of them at one moment, or none. Who is connected is cut off
 * and finds the new one.
 */
export function swapDatabases(postgres: Postgres, databases: readonly string[]): Step {
  return {
    title: 'put them in place, all at once',
    async apply({ signal }) {
      const there = new Set((await postgres.listDatabases(signal)).map(({ name }) => name));
      const renames = databases.flatMap((name) => [
        ...(there.has(name) ? [toRename(name, toOld(name))] : []),
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
