import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findReservation, reservePorts } from '../../src/machine/port-reservation.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const { signal } = new AbortController();
const wanted = { http: 80, https: 443 };
const probe = async () => 'free' as const;

/** Starts another run that reserves ports. Resolves to its process and the ports. */
async function startRun(cache: string) {
  const file = join(import.meta.dirname, 'reserve-ports.ts');
  const child: ChildProcessWithoutNullStreams = spawn(process.execPath, ['--import', 'tsx', file, cache]);
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const [chunk] = await once(child.stdout, 'data');
  return { child, ports: String(chunk).trim() };
}

test('runs that choose at the same time get different ports', async () => {
  const cache = await makeTemporaryFolder();
  const runs = await Promise.all([1, 2, 3].map(() => startRun(cache)));
  expect(runs.map(({ ports }) => ports).toSorted()).toEqual(['80 443', '8080 8443', '8081 8444']);
});

test('a reservation ends with its process, and does not keep its own process from the ports', async () => {
  const cache = await makeTemporaryFolder();
  const { child } = await startRun(cache);
  expect(await findReservation(cache, 80)).toMatchObject({ pid: child.pid });
  const other = { http: 8080, https: 8443 };
  expect(await reservePorts(wanted, { cache, signal, probe })).toEqual(other);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await reservePorts(wanted, { cache, signal, probe })).toEqual(wanted);
  expect(await reservePorts(wanted, { cache, signal, probe })).toEqual(wanted);
  expect(await reservePorts(wanted, { cache, signal, probe, taken: new Set([80]) })).toEqual(other);
});
