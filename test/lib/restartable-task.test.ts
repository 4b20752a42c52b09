import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createRestartableTask } from '../../src/lib/restartable-task.ts';

function makeLatest({ takes = 20 } = {}) {
  const log: string[] = [];
  const errors: unknown[] = [];
  const end = new AbortController();
  let number = 0;
  const latest = createRestartableTask(
    async (signal) => {
      number += 1;
      const own = number;
      log.push(`begins ${own}`);
      await sleep(takes, undefined, { signal }).catch(() => {
        log.push(`aborted ${own}`);
        throw new Error('aborted');
      });
      log.push(`done ${own}`);
    },
    { signal: end.signal, onError: (error) => void errors.push(error) },
  );
  return { latest, log, errors, end };
}

test('a request is worked on, and the next one after it', async () => {
  const { latest, log } = makeLatest({ takes: 1 });
  latest.restart();
  await latest.idle();
  latest.restart();
  await latest.idle();
  expect(log).toEqual(['begins 1', 'done 1', 'begins 2', 'done 2']);
});

test('a request during a run restarts it, several at once only once', async () => {
  const { latest, log, errors } = makeLatest();
  latest.restart();
  await sleep(5);
  latest.restart();
  latest.restart();
  await latest.idle();
  expect(log).toEqual(['begins 1', 'aborted 1', 'begins 2', 'done 2']);
  expect(errors).toEqual([]);
});

test('an error of work that was not aborted is reported', async () => {
  const errors: unknown[] = [];
  const { signal } = new AbortController();
  const latest = createRestartableTask(() => Promise.reject(new Error('a bug')), {
    signal,
    onError: (error) => void errors.push(error),
  });
  latest.restart();
  await latest.idle();
  expect(errors).toEqual([new Error('a bug')]);
});

test('it ends with its signal', async () => {
  const { latest, log, errors, end } = makeLatest({ takes: 60_000 });
  latest.restart();
  await sleep(5);
  end.abort();
  await latest.idle();
  latest.restart();
  await latest.idle();
  expect(log).toEqual(['begins 1', 'aborted 1']);
  expect(errors).toEqual([]);
});
