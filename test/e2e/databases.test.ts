import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect } from 'vitest';
import { requestJson } from './ingress.ts';
import { sharedCheckout, test } from './shared-checkout.ts';

const checkout = sharedCheckout();
const service = 'user-service';
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
});
