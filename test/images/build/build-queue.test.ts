import { expect, test } from 'vitest';
import { createBuildQueue, toBuildLimit } from '../../../src/images/build/build-queue.ts';

const run = () => {
  const lines: string[] = [];
  return { signal: new AbortController().signal, report: (line: string) => void lines.push(line), lines };
};
const twoAtOnce = async () => ({ cpus: 4, memory: 16e9 });

class OutOfMemory extends Error {}
const isOutOfMemory = (error: unknown) => error instanceof OutOfMemory;

/** Builds that end when the test says so. */
function makeBuilds() {
  const started: string[] = [];
  const ends = new Map<string, (error?: Error) => void>();
  return {
    started,
    build: (name: string) => () =>
      new Promise<string>((resolve, reject) => {
        started.push(name);
        ends.set(name, (error) => (error ? reject(error) : resolve(name)));
      }),
    async end(name: string, error?: Error) {
      ends.get(name)?.(error);
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

test.each([
  [{ cpus: 2, memory: 24e9 }, 1],
  [{ cpus: 8, memory: 16e9 }, 4],
  [{ cpus: 16, memory: 7e9 }, 3],
  [{ cpus: 1, memory: 1e9 }, 1],
])('of %j as many builds run at once as it holds: %i', (capacity, limit) => {
  expect(toBuildLimit(capacity)).toBe(limit);
});

test('eight builds are as many at once as the machine holds, in their order', async () => {
  const queue = createBuildQueue({ findCapacity: twoAtOnce, isOutOfMemory });
  const { build, started, end } = makeBuilds();
  const names = ['a', 'b', 'c', 'd'];
  const waiting = run();
  const all = Promise.all(names.map((name) => queue(build(name), name === 'c' ? waiting : run())));
  await end('');
  expect(started).toEqual(['a', 'b']);
  expect(waiting.lines).toEqual(['waiting for 2 other builds to end']);
  await end('b');
  expect(started).toEqual(['a', 'b', 'c']);
  for (const name of names) await end(name);
  await end('d');
  expect(await all).toEqual(names);
});

test('a build that runs out of memory beside another is repeated once that has ended, alone', async () => {
  const queue = createBuildQueue({ findCapacity: twoAtOnce, isOutOfMemory });
  const { build, started, end } = makeBuilds();
  const failing = run();
  const both = Promise.all([queue(build('a'), run()), queue(build('b'), failing)]);
  await end('');
  await end('b', new OutOfMemory());
  expect(failing.lines).toContain('out of memory: building again, one at a time');
  expect(started).toEqual(['a', 'b']);
  await end('a');
  expect(started).toEqual(['a', 'b', 'b']);
  await end('b');
  expect(await both).toEqual(['a', 'b']);
});

test('alone it is not repeated, nor a second time, nor after another error', async () => {
  const queue = createBuildQueue({ findCapacity: twoAtOnce, isOutOfMemory });
  let builds = 0;
  const fail = async (error: Error) => {
    builds += 1;
    throw error;
  };
  await expect(queue(() => fail(new OutOfMemory('137')), run())).rejects.toThrow('137');
  expect(builds).toBe(1);
  const others = Promise.allSettled([
    queue(() => fail(new OutOfMemory('twice')), run()),
    queue(() => fail(new Error('syntax')), run()),
  ]);
  expect((await others).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(builds).toBe(4);
});

test('a build that waits ends with the signal, and the next one has its place', async () => {
  const queue = createBuildQueue({ findCapacity: async () => ({ cpus: 1, memory: 1e9 }), isOutOfMemory });
  const { build, started, end } = makeBuilds();
  const stopping = new AbortController();
  const first = queue(build('a'), run());
  const second = queue(build('b'), { ...run(), signal: stopping.signal });
  const third = queue(build('c'), run());
  await end('');
  stopping.abort(new Error('stop'));
  await expect(second).rejects.toThrow('stop');
  await end('a');
  expect(started).toEqual(['a', 'c']);
  await end('c');
  expect(await Promise.all([first, third])).toEqual(['a', 'c']);
});
