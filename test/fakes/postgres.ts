import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import type { Postgres } from '../../src/tools/postgres.ts';

/**
 * A PostgreSQL server in memory with a string as content of each database. It supports only the SQL of the steps: of what
 * belongs to a database itself, only the comment.
 */
export function createPostgresFake(databases: Map<string, string>, comments = new Map<string, string>()) {
  /** Set these to make restores or renames fail halfway, or to do something in the middle of them. */
  const faults = {
    restore: false,
    rename: false,
    onRestore: () => {},
    onRename: async (_signal: AbortSignal) => {},
  };
  const hash = (text: string) => createHash('sha256').update(text).digest('hex');

  interface Server {
    readonly all: Map<string, string>;
    readonly comments: Map<string, string>;
  }

  function move(map: Map<string, string>, from: string, to: string): void {
    const value = map.get(from);
    map.delete(from);
    if (value !== undefined) map.set(to, value);
  }

  function execute(server: Server, sql: string): void {
    const { all } = server;
    for (const [, name = ''] of sql.matchAll(/DROP DATABASE IF EXISTS "(\w+)"/g)) {
      all.delete(name);
      server.comments.delete(name);
    }
    for (const [, name = ''] of sql.matchAll(/CREATE DATABASE "(\w+)"/g))
      if (!all.has(name)) all.set(name, '');
    const changes =
      /ALTER DATABASE "(\w+)" RENAME TO "(\w+)"|COMMENT ON DATABASE "?(\w+)"? IS (?:NULL|'(.*)')/g;
    for (const [, from, to, commented, comment] of sql.matchAll(changes)) {
      if (from !== undefined && to !== undefined) {
        if (!all.has(from) || all.has(to)) throw new Error(`${from} cannot be renamed to ${to}`);
        move(all, from, to);
        move(server.comments, from, to);
      } else if (commented !== undefined) {
        if (!all.has(commented)) throw new Error(`${commented} does not exist`);
        if (comment === undefined) server.comments.delete(commented);
        else server.comments.set(commented, comment);
      }
    }
  }

  const postgres: Postgres = {
    readVersion: async () => 170_006,
    listDatabases: async () =>
      [...databases].map(([name, content]) => {
        return { name, bytes: content.length, comment: comments.get(name) ?? null };
      }),
    readJson: async () => [],
    run: async (sql) => execute({ all: databases, comments }, sql),
    async dump(names) {
      const dumps = names.map((database) => {
        const content = databases.get(database) ?? '';
        const comment = comments.get(database);
        const literal = comment === undefined ? 'NULL' : `'${comment}'`;
        const properties = [`COMMENT ON DATABASE ${database} IS ${literal}`];
        return { database, bytes: content.length, sha256: hash(content), properties };
      });
      return {
        dumps,
        fetch: ({ database }, file) => writeFile(file, databases.get(database) ?? ''),
        remove: async () => {},
      };
    },
    async restore(database, { file }) {
      const content = await readFile(file, 'utf8');
      faults.onRestore();
      databases.set(database, faults.restore ? content.slice(0, 1) : content);
      if (faults.restore) throw new Error('killed in the middle');
    },
    endRestores: async () => {},
    async rename(sql, _databases, signal) {
      await faults.onRename(signal);
      // One transaction: all changes or none.
      const draft = { all: new Map(databases), comments: new Map(comments) };
      execute(draft, sql);
      if (faults.rename) throw new Error('killed in the middle');
      databases.clear();
      for (const [name, content] of draft.all) databases.set(name, content);
      comments.clear();
      for (const [name, comment] of draft.comments) comments.set(name, comment);
    },
    toPsql: () => [],
  };
  return { postgres, faults };
}
