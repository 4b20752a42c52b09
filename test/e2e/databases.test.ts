import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect } from 'vitest';
import { requestJson } from './ingress.ts';
import { sharedCheckout, test } from './shared-checkout.ts';

const checkout = sharedCheckout();
const service = 'user-service';
const database = 'wealist_user_service_db';
let origin = '';

beforeAll(async () => {
  origin = (await checkout.up()).addresses[0]?.url ?? '';
});

/** What a query in the service's database says. */
async function query(sql: string): Promise<string> {
  const { stdout, stderr, exitCode } = await checkout.run('db', service, '--', '-Atqc', sql);
  if (exitCode !== 0) throw new Error(stderr);
  return stdout.trim();
}

const addUser = (text: string) => requestJson<{ id: number }>(`${origin}svc/user/api/users`, { text });
const count = () => query('SELECT count(*) FROM users');

/** Writes rows one after the other until something has ended. Resolves to how many. */
async function writeUntil(something: Promise<unknown>): Promise<number> {
  let hasEnded = false;
  void something.then(() => {
    hasEnded = true;
  });
  let written = 0;
  for (; !hasEnded; written++) await addUser('meanwhile');
  return written;
}

describe('the databases', () => {
  test('db: psql on a terminal, in the database of the service', async () => {
    const { shown, exitCode } = await checkout.type(
      [
        { after: '=# ', line: 'SELECT current_database();' },
        { after: '=# ', line: '\\q' },
      ],
      'db',
      service,
    );
    expect({ shown, exitCode }).toMatchObject({
      shown: expect.stringContaining('wealist_user_service_db'),
      exitCode: 0,
    });
  });

  test('saved while somebody writes, changed, restored: as it was, and what was there meanwhile is kept', async () => {
    await addUser('before');
    const before = Number(await count());
    const saving = checkout.run('db', 'save', 'e2e', service, '--json');
    // A write that fails ends the test.
    const written = await writeUntil(saving);
    const saved = await saving;
    expect(saved).toMatchObject({ exitCode: 0 });
    const { milliseconds } = JSON.parse(saved.stdout);
    process.stderr.write(
      `saved in ${(milliseconds / 1000).toFixed(1)} s, while ${written} rows were written\n`,
    );

    await addUser('after');
    const after = Number(await count());
    const restored = await checkout.run('db', 'restore', 'e2e', '--yes', '--json');
    expect(restored).toMatchObject({ exitCode: 0 });
    const then = Number(await count());
    expect(then).toBeGreaterThanOrEqual(before);
    expect(then).toBeLessThan(after);
    // The service goes on with it.
    await addUser('later');
    expect(Number(await count())).toBe(then + 1);

    const { keptAs } = JSON.parse(restored.stdout);
    expect(await checkout.run('db', 'restore', keptAs, '--yes')).toMatchObject({ exitCode: 0 });
    expect(Number(await count())).toBe(after);
  });

  test('kill -9 in the middle of a restore: the database is as it was, and the next restore is whole', async () => {
    const filler =
      "INSERT INTO users (text) SELECT md5(i::text) || repeat('x', 200) FROM generate_series(1, 200000) i";
    await query(filler);
    const whole = await count();
    expect(await checkout.run('db', 'save', 'large', service)).toMatchObject({ exitCode: 0 });
    await query("DELETE FROM users WHERE text LIKE '%xxx'");
    const changed = await count();
    const restoring = checkout.start('db', 'restore', 'large', '--yes');
    await restoring.said('restore wealist_user_service_db');
    await restoring.kill();
    expect(await count()).toBe(changed);
    await addUser('still served');
    expect(await checkout.run('db', 'restore', 'large', '--yes')).toMatchObject({ exitCode: 0 });
    expect(await count()).toBe(whole);
    const { stdout } = await checkout.run('db', '--list', '--json');
    const { databases } = JSON.parse(stdout) as { databases: readonly { isLeftover: boolean }[] };
    expect(databases.filter(({ isLeftover }) => isLeftover)).toEqual([]);
  });

  test('Ctrl-C in the middle of the swap: all are replaced, which is said; before it nothing is', async () => {
    const whole = await count();
    expect(await checkout.run('db', 'save', 'whole', service)).toMatchObject({ exitCode: 0 });
    await query('DELETE FROM users');
    const early = checkout.start('db', 'restore', 'whole', '--yes');
    await early.said('restore wealist_user_service_db');
    early.signalGroup('SIGINT');
    expect(await early.ended).toMatchObject({
      stderr: expect.stringContaining(`${database}: unchanged\n`),
      exitCode: 130,
    });
    expect(await count()).toBe('0');
    const late = checkout.start('db', 'restore', 'whole', '--yes');
    await late.said('replace the current databases, all at once');
    late.signalGroup('SIGINT');
    const { stderr, exitCode } = await late.ended;
    expect(exitCode).toBe(130);
    // Ctrl-C may come before the swap has begun.
    const [, state] = new RegExp(
      `${database}: (unchanged\\n|replaced; the previous content is saved as snapshot auto-)`,
    ).exec(stderr) ?? [stderr, stderr];
    process.stderr.write(`after Ctrl-C: ${state}\n`);
    if (state === 'unchanged\n') expect(await count()).toBe('0');
    else
      expect({ state, rows: await count() }).toEqual({
        state: expect.stringMatching(/^replaced/),
        rows: whole,
      });
  });

  test('a flipped byte is refused, a loss that nobody confirms, too; a reset leaves an empty database', async () => {
    const before = await count();
    const dump = join(checkout.data, 'snapshots/large/wealist_user_service_db.dump');
    const bytes = await readFile(dump);
    bytes[5_000] = (bytes[5_000] ?? 0) ^ 1;
    await writeFile(dump, bytes);
    expect(await checkout.run('db', 'restore', 'large', '--yes')).toMatchObject({
      stderr: expect.stringContaining('snapshot large is damaged: wealist_user_service_db.dump'),
      exitCode: 2,
    });
    expect(await checkout.run('db', 'reset', service)).toMatchObject({ exitCode: 9 });
    expect(await count()).toBe(before);

    const { shown, exitCode } = await checkout.type(
      [{ after: `Type ${service} to confirm:`, line: service }],
      'db',
      'reset',
      service,
    );
    expect({ shown, exitCode }).toMatchObject({ shown: expect.stringContaining('empty'), exitCode: 0 });
    expect(await count()).toBe('0');
    await addUser('first');
    expect(await count()).toBe('1');
  });

  test('the oldest automatic snapshot can be restored', async () => {
    const snapshots: string[] = [];
    for (const text of ['one', 'two', 'three']) {
      await addUser(text);
      const { stdout, exitCode } = await checkout.run('db', 'reset', service, '--yes', '--json');
      expect(exitCode).toBe(0);
      snapshots.push(JSON.parse(stdout).keptAs);
    }
    const [oldest = ''] = snapshots;
    expect(await checkout.run('db', 'restore', oldest, '--yes')).toMatchObject({ exitCode: 0 });
    expect(await query("SELECT count(*) FROM users WHERE text = 'one'")).toBe('1');
    expect(await checkout.run('db', 'restore', oldest, '--yes')).toMatchObject({ exitCode: 0 });
  });

  test("a user's databases that end in _old and _new are not dropped", async () => {
    const names = [`${database}_old`, `${database}_new`];
    for (const name of names) await query(`CREATE DATABASE ${name}`);
    expect(await checkout.run('db', 'reset', service, '--yes')).toMatchObject({ exitCode: 0 });
    // Each of these fails where the database does not exist.
    for (const name of names) await query(`DROP DATABASE ${name}`);
  });

  test('functions that name others without their schema are restored with the rows that they compute', async () => {
    await query(`CREATE FUNCTION plain(t text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower(t)';
      CREATE FUNCTION slug(t text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN plain(t); END';
      CREATE TABLE pages (title text CHECK (plain(title) <> ''), s text GENERATED ALWAYS AS (slug(title)) STORED);
      INSERT INTO pages VALUES ('A'), ('SELECT pg_catalog.set_config(''search_path'', '''', false);'), (E'\\\\.');
      CREATE SCHEMA app;
      SET search_path = app;
      CREATE FUNCTION loud(t text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper(t)';
      CREATE FUNCTION louder(t text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN loud(t); END';
      CREATE TABLE things (t text, u text GENERATED ALWAYS AS (louder(t)) STORED);
      INSERT INTO things VALUES ('x')`);
    const rows = "SELECT string_agg(s, ',' ORDER BY s), (SELECT min(u) FROM app.things) FROM pages";
    const before = await query(rows);
    expect(await checkout.run('db', 'save', 'pages', service)).toMatchObject({ exitCode: 0 });
    await query('DROP TABLE pages');
    expect(await checkout.run('db', 'restore', 'pages', '--yes')).toMatchObject({ exitCode: 0 });
    expect(await query(rows)).toBe(before);
  });

  test('what belongs to the database itself is restored, and outlives a reset', async () => {
    const settings = [
      "SET timezone TO 'Asia/Seoul'",
      'SET search_path TO app, "$user", public',
      `SET app.tenant TO 'it''s, "x"'`,
      'CONNECTION LIMIT 77',
    ];
    for (const setting of settings) await query(`ALTER DATABASE ${database} ${setting}`);
    await query(`CREATE ROLE reader;
      ALTER ROLE user_service IN DATABASE ${database} SET statement_timeout TO '30s';
      COMMENT ON DATABASE ${database} IS E'the ''users''\\n\\\\connect x';
      GRANT CONNECT ON DATABASE ${database} TO reader WITH GRANT OPTION`);
    const readProperties = () =>
      query(`SELECT datconnlimit, shobj_description(oid, 'pg_database'),
        (SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(datacl) a),
        (SELECT string_agg(setrole::regrole || each, ' ' ORDER BY setrole, each)
          FROM pg_db_role_setting, unnest(setconfig) each WHERE setdatabase = d.oid)
        FROM pg_database d WHERE datname = '${database}'`);
    const before = await readProperties();
    expect(before).toContain('reader=c*');
    expect(await checkout.run('db', 'save', 'properties', service)).toMatchObject({ exitCode: 0 });
    expect(await checkout.run('db', 'reset', service, '--yes')).toMatchObject({ exitCode: 0 });
    expect(await readProperties()).toBe(before);
    const resetSettings = `ALTER DATABASE ${database} RESET ALL;
      ALTER ROLE user_service IN DATABASE ${database} RESET ALL;
      REVOKE ALL ON DATABASE ${database} FROM reader CASCADE`;
    await query(`${resetSettings};
      COMMENT ON DATABASE ${database} IS NULL;
      GRANT ALL ON DATABASE ${database} TO PUBLIC`);
    expect(await checkout.run('db', 'restore', 'properties', '--yes')).toMatchObject({ exitCode: 0 });
    expect(await readProperties()).toBe(before);
    expect(await query('SHOW timezone')).toBe('Asia/Seoul');
    await query(resetSettings);
  });

  test('more large objects than one transaction can lock are restored', async () => {
    await query('SELECT count(lo_create(0)) FROM generate_series(1, 40000)');
    await query("SELECT lo_from_bytea(0, repeat('abc', 100000)::bytea)");
    const readObjects = () =>
      query(`SELECT count(*), (SELECT md5(string_agg(data, '' ORDER BY loid, pageno)) FROM pg_largeobject)
        FROM pg_largeobject_metadata`);
    const before = await readObjects();
    expect(await checkout.run('db', 'save', 'objects', service)).toMatchObject({ exitCode: 0 });
    expect(await checkout.run('db', 'reset', service, '--yes')).toMatchObject({ exitCode: 0 });
    expect(await readObjects()).toBe('0|');
    expect(await checkout.run('db', 'restore', 'objects', '--yes')).toMatchObject({ exitCode: 0 });
    expect(await readObjects()).toBe(before);
  });
});
