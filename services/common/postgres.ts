import type pg from 'pg';
import { abortable } from './abortable.ts';
import { type Dependency, usingDependency } from './dependency.ts';
import type { Settings } from './settings.ts';

export interface Table {
  /** A name that needs no quoting. */
  readonly name: string;
  /** Column definitions for CREATE TABLE. */
  readonly columns: string;
  /** The columns that the routes read, for SELECT. */
  readonly reads: string;
}

/**
 * The schema of the stand-ins' tables. weAlist's own program uses the same database and has tables of the same names in
 * `public`, so that each finds its own again after the other has run. src/tools/stand-in-schema.ts names it, too.
 */
const schema = 'stand_in';

export interface Postgres extends Dependency {
  /** @throws {HttpError} 503 when the database is unavailable. */
  query<Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<Row[]>;
}

/**
 * The database of DATABASE_URL. Missing tables are created unless DB_AUTO_MIGRATE is `false`: then the database counts
 * as down until the tables exist. It also counts as down when a table lacks a column that the routes read.
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
      options: `-c search_path=${schema}`,
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

  /** Reads no row, with the statement of the routes. Resolves to false when a table is missing. */
  async function readTables(): Promise<boolean> {
    const reads = tables.map(({ name, reads }) => `SELECT ${reads} FROM ${name} LIMIT 0;`);
    try {
      await query(['SELECT 1;', ...reads].join(' '));
      return true;
    } catch (error) {
      if ((error as { code?: unknown }).code === undefinedTable) return false;
      throw error;
    }
  }

  return {
    name: 'postgres',
    kind: 'store',
    query: (text, values) => usingDependency('postgres', () => query(text, values)),
    async probe(signal) {
      if (await abortable(readTables(), signal)) return;
      if (!createsTables) {
        const missing = await abortable(findMissingTables(), signal);
        throw new Error(
          `missing tables in schema ${schema}: ${missing.join(', ')}; DB_AUTO_MIGRATE is false`,
        );
      }
      // One message is one transaction. The lock serializes replicas that start at the same time, because concurrent
      // CREATE TABLE IF NOT EXISTS statements can fail.
      const create = tables.map(({ name, columns }) => `CREATE TABLE IF NOT EXISTS ${name} (${columns});`);
      const statements = [
        `SELECT pg_advisory_xact_lock(${advisoryLock});`,
        `CREATE SCHEMA IF NOT EXISTS ${schema};`,
        ...create,
      ].join(' ');
      await abortable((await getPool()).query(statements), signal);
    },
    async close() {
      await (await pool)?.end();
    },
  };
}

/** PostgreSQL's code of an error (documentation, appendix A). */
const undefinedTable = '42P01';

/** An arbitrary number, the same in every replica. Advisory locks are per database. */
const advisoryLock = 7_341_904;
