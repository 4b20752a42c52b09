import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import type { Postgres } from '../../src/tools/postgres.ts';

/** A PostgreSQL server in memory with a string as content of each database. It supports only the SQL of the steps. */
export function createPostgresFake(databases: Map<string, string>) {
  /** Set these to make restores or renames fail halfway. */
  const faults = { restore: false, rename: false };
  const hash = (text: string) => createHash('sha256').update(text).digest('hex');

  function execute(all: Map<string, string>, sql: string): void {
    for (const [, name = ''] of sql.matchAll(/DROP DATABASE IF EXISTS "(\w+)"/g)) all.delete(name);
    for (const [, name = ''] of sql.matchAll(/CREATE DATABASE "(\w+)"/g))
      if (!all.has(name)) all.set(name, '');
    for (const [, from = '', to = ''] of sql.matchAll(/ALTER DATABASE "(\w+)" RENAME TO "(\w+)"/g)) {
      const content = all.get(from);
      if (content === undefined || all.has(to)) throw new Error(`${from} cannot be renamed to ${to}`);
      all.delete(from);
      all.set(to, content);
    }
  }

  const postgres: Postgres = {
    readVersion: async () => 170_006,
    listDatabases: async () => [...databases].map(([name, content]) => ({ name, bytes: content.length })),
    run: async (sql) => execute(databases, sql),
    async dump(names) {
      const dumps = names.map((database) => {
        const content = databases.get(database) ?? '';
        return { database, bytes: content.length, sha256: hash(content) };
      });
      return {
        dumps,
        fetch: ({ database }, file) => writeFile(file, databases.get(database) ?? ''),
        remove: async () => {},
      };
    },
    async restore(database, file) {
      const content = await readFile(file, 'utf8');
      databases.set(database, faults.restore ? content.slice(0, 1) : content);
      if (faults.restore) throw new Error('killed in the middle');
    },
    async rename(sql) {
      // One transaction: all changes or none.
      const draft = new Map(databases);
      execute(draft, sql);
      if (faults.rename) throw new Error('killed in the middle');
      databases.clear();
      for (const [name, content] of draft) databases.set(name, content);
    },
    toPsql: () => [],
  };
  return { postgres, faults };
}
