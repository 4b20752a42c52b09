import type pg from 'pg';
import { abortable } from './abortable.ts';
import { type Dependency, usingDependency } from './dependency.ts';
import type { Settings } from './settings.ts';

export interface Table {
  /** A name that needs no quotes. */
  readonly name: string;
  /** What stands between the parentheses of CREATE TABLE. */
  readonly columns: string;
}

export interface Postgres extends Dependency {
  /** @throws {HttpError} 503 when the database does not answer. */
  query<Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<Row[]>;
}

/**
 * The database of DATABASE_URL. Missing tables are created unless DB_AUTO_MIGRATE is `false`: then the database
 * counts as down until somebody else has made them.
 */
export function postgres(settings: Settings, tables: readonly Table[]): Postgres {
  const url = settings.url('DATABASE_URL');
  const migrates = settings.optional('DB_AUTO_MIGRATE') !== 'false';
  let pool: Promise<pg.Pool> | undefined;

  async function open(): Promise<pg.Pool> {
    // Loaded only now: the service listens before, and a probe that finds nobody listening comes a second later.
    const { default: library } = await import('pg');
    const opened = new library.Pool({
      connectionString: url,
      max: 5,
      idleTimeoutMillis: 60_000,
      connectionTimeoutMillis: 2_000,
      // A connection whose other end vanished without a word is given up by its next query.
      query_timeout: 5_000,
      keepAlive: true,
    });
    // An idle connection that breaks is dropped by the pool; unheard, the event would end the process.
    opened.on('error', () => {});
    return opened;
  }

  const getPool = () => {
    pool ??= open();
    return pool;
  };
  const query = async <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []) =>
    (await (await getPool()).query<Row>(text, [...values])).rows;

  async function findMissingTables(): Promise<string[]> {
    const names = tables.map(({ name }) => name);
    const rows = await query<{ name: string }>(
      'SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NULL',
      [names],
    );
    return rows.map(({ name }) => name);
  }

  return {
    name: 'postgres',
    kind: 'store',
    query: (text, values) => usingDependency('postgres', () => query(text, values)),
    async probe(signal) {
      const missing = await abortable(findMissingTables(), signal);
      if (missing.length === 0) return;
      if (!migrates) throw new Error(`no table ${missing.join(', ')}, and DB_AUTO_MIGRATE is false`);
      // Sent at once, so one transaction; of several replicas that start at once only one creates, because
      // CREATE TABLE IF NOT EXISTS itself fails when two run at the same moment.
      const create = tables.map(({ name, columns }) => `CREATE TABLE IF NOT EXISTS ${name} (${columns});`);
      const statements = `SELECT pg_advisory_xact_lock(${advisoryLock}); ${create.join(' ')}`;
      await abortable((await getPool()).query(statements), signal);
    },
    async close() {
      await (await pool)?.end();
    },
  };
}

/** Any number, the same in every replica; locks are per database. */
const advisoryLock = 7_341_904;
