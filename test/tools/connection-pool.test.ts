import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { createConnectionPool } from '../../src/tools/connection-pool.ts';

/** A target whose connections the test completes. */
function start() {
  const dials: { resolve(): PassThrough; reject(error: Error): void }[] = [];
  let current = 'old';
  const pool = createConnectionPool(() => current);
  onTestFinished(() => pool.close());
  const targetOf = (key: string) => ({
    key,
    dial: () =>
      new Promise<PassThrough>((resolve, reject) => {
        dials.push({
          reject,
          resolve() {
            const connection = new PassThrough();
            resolve(connection);
            return connection;
          },
        });
      }),
  });
  const gone = new AbortController();
  return {
    ...{ pool, dials, gone, old: targetOf('old') },
    lease: () => pool.lease(targetOf('old'), gone.signal),
    replace: () => {
      current = 'new';
    },
  };
}

test('a connection that is given back is the next one', async () => {
  const { pool, dials, lease, old } = start();
  const first = lease();
  const connection = dials[0]?.resolve();
  expect(await first).toBe(connection);
  for (let round = 0; round < 20; round++) {
    pool.release(old, await Promise.resolve(connection as PassThrough));
    expect(await lease()).toBe(connection);
  }
  expect(dials.length).toBe(1);
  expect(connection?.listenerCount('close')).toBeLessThan(3);
});

test('who waits gets what is there first: made, or given back; and only a few are made at a time', async () => {
  const { pool, dials, lease, old } = start();
  const leases = Array.from({ length: 10 }, lease);
  expect(dials.length).toBe(4);
  const connection = dials[0]?.resolve() as PassThrough;
  expect(await leases[0]).toBe(connection);
  pool.release(old, connection);
  expect(await leases[1]).toBe(connection);
  // Those that hold theirs keep nobody from getting one.
  for (let at = 1; at < 9; at++) {
    dials[at]?.resolve();
    await sleep(0);
  }
  expect(await Promise.all(leases)).toHaveLength(10);
});

test('a failed connection rejects the request that has waited longest', async () => {
  const { dials, lease } = start();
  const [first, second] = [lease(), lease()];
  dials[0]?.reject(new Error('refused'));
  await expect(first).rejects.toThrow('refused');
  const connection = dials[1]?.resolve();
  expect(await second).toBe(connection);
});

test('who leaves waits no longer', async () => {
  const { gone, lease, dials } = start();
  const first = lease();
  gone.abort(new Error('left'));
  await expect(first).rejects.toThrow('left');
  dials[0]?.resolve();
});

test('a connection to who is asked no more is closed', async () => {
  const { pool, dials, lease, old, replace } = start();
  const first = lease();
  const connection = dials[0]?.resolve();
  replace();
  pool.release(old, await first);
  expect(connection?.destroyed).toBe(true);
});

test('a connection that was destroyed a moment ago is not leased again', async () => {
  const { pool, dials, lease, old } = start();
  const first = lease();
  const connection = dials[0]?.resolve() as PassThrough;
  pool.release(old, await first);
  // `close` is emitted later.
  connection.destroy();
  const second = lease();
  const other = dials[1]?.resolve();
  expect(await second).toBe(other);
});

test('after a stall of the process, a connection that was idle for too long is not leased again', async () => {
  const { pool, dials, lease, old } = start();
  const first = lease();
  const connection = dials[0]?.resolve() as PassThrough;
  pool.release(old, await first);
  // Nothing else runs meanwhile, not even timers.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_100);
  const second = lease();
  expect(connection.destroyed).toBe(true);
  const other = dials[1]?.resolve();
  expect(await second).toBe(other);
});
