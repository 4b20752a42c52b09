// A process for the tests of the lock: takes argv's lock, reports it, holds it until it is ended or its stdin ends.
import { exitCodes, Failure } from '../../src/lib/failure.ts';
import { acquireLock } from '../../src/state/lock.ts';

const [path = '', command = ''] = process.argv.slice(2);
try {
  const lock = await acquireLock(path, { command });
  process.stdout.write('held\n');
  for await (const _ of process.stdin);
  await lock.release();
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  process.stdout.write(`${error.message}\n`);
  process.exitCode = error.exitCode === exitCodes.locked ? error.exitCode : exitCodes.bug;
}
