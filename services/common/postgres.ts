import type pg from 'pg';
import { abortable } from './abortable.ts';
import { type Dependency, usingDependency } from './dependency.ts';
import type { Settings } from './settings.ts';

export interface Table {
  /** A name that needs no quoting. */
  readonly name: string;
  /** Column definitions for CREATE TABLE. */
  readonly columns: string;
}

export interface Postgres extends Dependency {
  /** @throws {HttpError} 503 when the database is unavailable. */
  query<Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<Row[]>;
}

/**
 * The database of DATABASE_URL. Missing tables are created unless DB_AUTO_MIGRATE is `false`: then the database counts
 * as down until the tables exist.
 */
export function postgres(settings: Settings, tables: readonly Table[]): Postgres {
  const url = settings.url('DATABASE_URL');
  const createsTables = settings.optional('DB_AUTO_MIGRATE') !== 'false';
  let pool: Promise<pg.Pool> | undefined;

  async function open(): Promise<pg.Pool> {
    // Imported on first use, so that the service listens earlier: a probe that fails is repeated only a second later.
    const { default: library } = await import('pg');
    const newPool = new library.Pool({
      connectionString: url,
      max: 5,
      idleTimeoutMillis: 60_000,
      connectionTimeoutMillis: 2_000,
      // Detects a connection whose other end vanished without closing it.
      query_timeout: 5_000,
      keepAlive: true,
    });
    // The pool drops a broken idle connection; without a listener the event would end the process.
    newPool.on('error', () => {});
    return newPool;
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
      if (!createsTables) throw new Error(`missing tables: ${missing.join(', ')}; DB_AUTO_MIGRATE is false`);
      // One message is one transaction. The lock serializes replicas that start at the same time, because concurrent
      // CREATE TABLE IF NOT EXISTS statements can fail.
      const create = tables.map(({ name, columns }) => `CREATE TABLE IF NOT EXISTS ${name} (${columns});`);
      const statements = `SELECT pg_advisory_xact_lock(${advisoryLock}); ${create.join(' ')}`;
      await abortable((await getPool()).query(statements), signal);
    },
    async close() {
      await (await pool)?.end();
    },
  };
}

/** An arbitrary number, the same in every replica. Advisory locks are per database. */
const advisoryLock = 7_341_904;
