import { CommandFailure, exitCodes, Failure } from '../lib/failure.ts';
import type { Exec } from './exec.ts';
import { type Kubectl, kubectlFailures } from './kubernetes/kubectl.ts';
import { findSearchPath, toPropertiesQuery } from './postgres-properties.ts';
import {
  endRestores,
  openPsql,
  printDump,
  removeFolder,
  restoreDump,
  runSql,
  saveDatabases,
  swapDatabases,
} from './postgres-scripts.ts';

export interface DatabaseInfo {
  readonly name: string;
  readonly bytes: number;
  /** From `COMMENT ON DATABASE`. */
  readonly comment: string | null;
}

/** A dump to restore. */
export interface SavedDump {
  readonly file: string;
  readonly sha256: string;
  /** As in `Dump`; snapshots of earlier versions have none. */
  readonly properties?: readonly string[] | undefined;
}

export interface Dump {
  readonly database: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Statements that set the owner, settings, comment and privileges of the database, which a dump does not hold. */
  readonly properties: readonly string[];
}

/**
 * The PostgreSQL of the cluster, as its superuser, through its pod. Names of databases have to be letters, digits, `_`
 * and `-`.
 */
export interface Postgres {
  /** As `server_version_num`: 170006. */
  readVersion(signal: AbortSignal): Promise<number>;
  /** All databases but PostgreSQL's own. */
  listDatabases(signal: AbortSignal): Promise<readonly DatabaseInfo[]>;
  /** The one JSON value that SQL selects in a database. */
  readJson(database: string, sql: string, signal: AbortSignal): Promise<unknown>;
  /** Runs SQL, psql's own commands included, until its first error. */
  run(sql: string, signal: AbortSignal): Promise<void>;
  /** Dumps databases as of one moment, in the pod. Writes are blocked during the dump. */
  dump(databases: readonly string[], signal: AbortSignal): Promise<DumpedDatabases>;
  /** Fills an empty database from the file of a dump. After an error it has some of the content. */
  restore(database: string, dump: SavedDump, signal: AbortSignal): Promise<void>;
  /** Ends restores that are still running in the pod after their run was killed. */
  endRestores(signal: AbortSignal): Promise<void>;
  /**
   * Runs SQL that renames databases in one transaction, and ends all connections to these databases. It goes on in the
   * pod whatever happens to this process, so that Ctrl-C does not reach it: the caller waits for its result.
   */
  rename(sql: string, databases: readonly string[], signal: AbortSignal): Promise<void>;
  /** kubectl's arguments that open psql. */
  toPsql(database: string, args: readonly string[], options: PsqlOptions): readonly string[];
}

export interface PsqlOptions {
  readonly isTerminal: boolean;
  /** Schemas in which names without a schema are looked up; by default as the database says. */
  readonly searchPath?: readonly string[] | undefined;
}

export interface DumpedDatabases {
  readonly dumps: readonly Dump[];
  /** Writes one dump to a file of this machine. */
  fetch(dump: Dump, file: string, signal: AbortSignal): Promise<void>;
  /** Removes them from the pod. */
  remove(): Promise<void>;
}

export interface PostgresPlace {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/** kubectl's line about a program in a pod that failed. */
const inPod = /^command terminated with exit code/m;

const plainName = /^[\w-]{1,63}$/;

export function createPostgres(exec: Exec, kubectl: Kubectl, place: PostgresPlace): Postgres {
  const [program, ...base] = kubectl.command;
  const where = [`--namespace=${place.namespace}`, place.pod, `--container=${place.container}`];

  async function run(
    script: string,
    args: readonly string[],
    options: Parameters<Exec>[2] = {},
  ): Promise<string> {
    const hasInput = options.input !== undefined || options.inputFile !== undefined;
    const input = hasInput ? ['--stdin'] : [];
    const words = [...base, 'exec', ...input, ...where, '--', 'sh', '-c', script, 'sh', ...args];
    try {
      return (await exec(program, words, { ...options, failures: kubectlFailures })).stdout;
    } catch (error) {
      if (error instanceof CommandFailure && ranInPod(error)) throw toFailure(error);
      throw error;
    }
  }

  const readJson = async (database: string, sql: string, signal: AbortSignal) =>
    JSON.parse(await run(runSql, [requirePlain(database)], { input: sql, signal }));
  const ask = (sql: string, signal: AbortSignal) => readJson('postgres', sql, signal);

  return {
    readVersion: (signal) => ask(`SELECT to_json(current_setting('server_version_num')::int);\n`, signal),

    listDatabases: (signal) =>
      ask(
        `SELECT coalesce(json_agg(json_build_object('name', datname, 'bytes', pg_database_size(oid),
           'comment', shobj_description(oid, 'pg_database')) ORDER BY datname), '[]')
           FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres';\n`,
        signal,
      ),

    readJson,

    async run(sql, signal) {
      await run(`export PGPASSWORD="$DB_PASSWORD"; ${runSql}`, ['postgres'], { input: sql, signal });
    },

    async dump(databases, signal) {
      const names = databases.map(requirePlain);
      const properties: Readonly<Record<string, readonly string[]>> = await ask(
        toPropertiesQuery(names),
        signal,
      );
      const folder = `/tmp/wealist-save-${process.pid}-${Date.now()}`;
      const printed = await run(saveDatabases, [folder, ...names], { input: saveDatabases, signal });
      const dumps = printed
        .trim()
        .split('\n')
        .map((line): Dump => {
          const [sha256 = '', bytes = '', database = ''] = line.split(' ');
          return { sha256, bytes: Number(bytes), database, properties: properties[database] ?? [] };
        });
      return {
        dumps,
        async fetch({ database }, file, gone) {
          await run(printDump, [folder, database], { outputFile: file, signal: gone });
        },
        async remove() {
          await run(removeFolder, [folder], { timeout: 10_000 });
        },
      };
    },

    async restore(database, { file, sha256, properties = [] }, signal) {
      const args = [requirePlain(database), sha256, findSearchPath(properties) ?? 'DEFAULT'];
      await run(restoreDump, args, { inputFile: file, signal });
    },

    async endRestores(signal) {
      await run(endRestores, [], { signal });
    },

    async rename(sql, databases, signal) {
      const names = databases.map(requirePlain).join(',');
      await run(swapDatabases, [names], { input: sql, signal, runsToEnd: true });
    },

    toPsql(database, args, { isTerminal, searchPath = [] }) {
      const flags = isTerminal ? ['--stdin', '--tty'] : ['--stdin'];
      const script = ['sh', '-c', openPsql, 'sh', database, searchPath.join(','), ...args];
      return ['exec', ...flags, ...where, '--', ...script];
    },
  };
}

function requirePlain(name: string): string {
  if (plainName.test(name)) return name;
  throw new Failure(`${JSON.stringify(name)} is not a supported database name`, {
    hint: 'npm run db -- --list',
    exitCode: exitCodes.usage,
  });
}

/** Whether the program in the pod failed, and not kubectl on the way there. */
function ranInPod({ stderr }: CommandFailure): boolean {
  return inPod.test(stderr);
}

/** What PostgreSQL's programs said, without the long command line. */
function toFailure(error: CommandFailure): Failure {
  const lines = error.stderr.split('\n').filter((line) => !inPod.test(line));
  const said = lines.join('\n').trim();
  const isLocked = /lock timeout|deadlock detected/.test(said);
  const role = /role "(.+)" does not exist/.exec(said)?.[1];
  const hint = role
    ? `npm run db postgres, then: CREATE ROLE "${role}";`
    : isLocked
      ? 'npm run db, then: SELECT pid, datname, query FROM pg_stat_activity'
      : 'npm run logs postgres';
  return new Failure(
    isLocked ? 'an open transaction prevents the databases from being saved' : 'PostgreSQL reported an error',
    { cause: said || error.message, hint, exitCode: exitCodes.workload },
  );
}
