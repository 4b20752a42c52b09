import { join } from 'node:path';
import { exitCodes, Failure } from '../lib/failure.ts';
import { hash } from '../lib/hash.ts';
import type { Watch } from '../lib/watchdog.ts';
import type { Step } from '../plan/plan.ts';
import type { DatabaseSnapshot } from '../state/database-snapshots.ts';
import type { DatabaseInfo, Postgres } from '../tools/postgres.ts';
import { toPropertiesScript } from '../tools/postgres-properties.ts';
import { moveMisplacedTables } from '../tools/stand-in-schema.ts';

type Purpose = 'new' | 'old';

/**
 * Name of the new database until it replaces the current one, or of the replaced one until it is dropped. It is hashed
 * because PostgreSQL cuts names after 63 bytes.
 */
function toTemporaryName(purpose: Purpose, database: string): string {
  return `wealist_local_${purpose}_${hash(database)}`;
}

/** Comment of a database that a replacement has made, without which none is dropped. */
function toMark(purpose: Purpose, database: string): string {
  return `wealist-local ${purpose} ${database}`;
}

/** Whether this is a temporary database of an interrupted replacement: it has the name and the mark of one. */
export function isLeftover({ name, comment }: Pick<DatabaseInfo, 'name' | 'comment'>): boolean {
  const [, purpose, database] = /^wealist-local (new|old) (.+)$/.exec(comment ?? '') ?? [];
  return database !== undefined && name === toTemporaryName(purpose as Purpose, database);
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
      await dropLeftovers(postgres, databases, signal);
      const renamed = databases.reduce((text, name) => {
        const temporary = toTemporaryName('new', name);
        return text.replaceAll(`"${name}"`, `"${temporary}"`).replaceAll(`'${name}'`, `'${temporary}'`);
      }, script);
      const marks = databases.map((name) => toComment('new', name));
      // As one script, which PostgreSQL's pod runs to its end also when this process is killed.
      await postgres.run(`${renamed}\n${marks.join('')}`, signal);
    },
  };
}

/** @throws {Failure} exit code 9 when a name that is needed belongs to a database without the mark. */
async function dropLeftovers(
  postgres: Postgres,
  databases: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  // Else they would write to the new database of the same name.
  await postgres.endRestores(signal);
  const existing = await postgres.listDatabases(signal);
  const needed = databases.flatMap((name) => [toTemporaryName('new', name), toTemporaryName('old', name)]);
  const foreign = existing.find((each) => needed.includes(each.name) && !isLeftover(each));
  if (foreign) {
    throw new Failure(`database ${foreign.name} already exists and is not marked as made by wealist-local`, {
      hint: `npm run db -- postgres -- --command 'DROP DATABASE ${foreign.name}'`,
      exitCode: exitCodes.refused,
    });
  }
  const leftovers = existing.filter(isLeftover).map(({ name }) => toDrop(name));
  if (leftovers.length > 0) await postgres.run(leftovers.join(''), signal);
}

/** The new database has the content of this database's dump in the snapshot. */
export function restoreDatabase(postgres: Postgres, snapshot: DatabaseSnapshot, database: string): Step {
  return {
    title: `restore ${database}`,
    async apply({ signal }) {
      const saved = snapshot.databases.find(({ name }) => name === database);
      if (!saved) throw new Error(`${database} is not in snapshot ${snapshot.name}`);
      const temporary = toTemporaryName('new', database);
      try {
        await postgres.restore(temporary, { ...saved, file: join(snapshot.folder, saved.file) }, signal);
        // A snapshot of an earlier version may have them.
        await postgres.run(moveMisplacedTables(temporary), signal);
      } catch (error) {
        // Half of the content only takes space. What is left here is dropped by the next replacement.
        await postgres.run(toDrop(temporary), AbortSignal.timeout(10_000)).catch(() => undefined);
        throw error;
      }
    },
  };
}

export interface SwapOptions {
  /** Returns the saved databases whose owner, settings, comment and privileges the new ones get. */
  readonly previous: () => Promise<DatabaseSnapshot['databases']>;
  /** Ends the wait for a node that does not respond, which Ctrl-C does not. */
  readonly watch: Watch;
  readonly onState: (state: SwapState) => void;
}

/** Which databases exist now: the previous ones, the new ones, or one of both. */
export type SwapState = 'unchanged' | 'replaced' | 'unknown';

/**
 * The new databases replace the current ones in one transaction: all of them or none. Clients are disconnected and
 * reach the new ones when they reconnect. Once it has begun, an interrupted run waits for its result.
 */
export function swapDatabases(
  postgres: Postgres,
  databases: readonly string[],
  { previous, watch, onState }: SwapOptions,
): Step {
  async function rename(sql: string, signal: AbortSignal): Promise<void> {
    onState('unknown');
    try {
      await postgres.rename(sql, databases, signal);
      onState('replaced');
    } catch (error) {
      // The transaction has failed, and not the connection to it.
      if (error instanceof Failure && error.exitCode === exitCodes.workload) onState('unchanged');
      throw error;
    }
  }

  return {
    title: 'replace the current databases, all at once',
    async apply({ signal, report }) {
      const saved = new Map((await previous()).map((each) => [each.name, each.properties]));
      for (const [name, properties] of saved) {
        if (properties === undefined)
          report(`${name}: settings, comment and privileges are not in the snapshot`);
      }
      const existing = new Set((await postgres.listDatabases(signal)).map(({ name }) => name));
      const changes = databases.flatMap((name) => [
        ...(existing.has(name) ? [toRename(name, toTemporaryName('old', name)), toComment('old', name)] : []),
        toRename(toTemporaryName('new', name), name),
        `COMMENT ON DATABASE "${name}" IS NULL;\n`,
        toPropertiesScript(name, saved.get(name)),
      ]);
      const old = databases.filter((name) => existing.has(name)).map((name) => toTemporaryName('old', name));
      signal.throwIfAborted();
      const onAbort = () => report('waiting until all are replaced: it must not stop in the middle');
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        await watch(undefined, async (hung) => {
          await rename(`BEGIN;\n${changes.join('')}COMMIT;\n`, hung);
          await postgres.run(old.map(toDrop).join(''), hung);
        });
      } finally {
        signal.removeEventListener('abort', onAbort);
      }
    },
  };
}

function toRename(from: string, to: string): string {
  return `ALTER DATABASE "${from}" RENAME TO "${to}";\n`;
}

/** Marks a temporary database. */
function toComment(purpose: Purpose, database: string): string {
  return `COMMENT ON DATABASE "${toTemporaryName(purpose, database)}" IS '${toMark(purpose, database)}';\n`;
}

function toDrop(name: string): string {
  return `DROP DATABASE IF EXISTS "${name}" WITH (FORCE);\n`;
}
