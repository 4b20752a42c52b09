import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { LogSource } from '../../src/logs/log-containers.ts';
import { createLogQueue } from '../../src/logs/log-queue.ts';

const source = (component: string): LogSource => ({
  ...{ component, pod: component, container: component },
  ...{ podSuffix: undefined, isOneOfSeveral: false },
});
const line = (text: string) => ({ time: `time of ${text}`, text });

/** An output that accepts nothing until it is opened. */
function makeOutput() {
  const written: string[] = [];
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return {
    written,
    open,
    async write({ component }: LogSource, lines: readonly { readonly text: string }[]) {
      await opened;
      written.push(...lines.map(({ text }) => `${component} ${text}`));
    },
  };
}

test('below the limit, all lines are written in order', async () => {
  const output = makeOutput();
  const queue = createLogQueue({ write: output.write });
  queue.offer(source('a'), [line('1'), line('2')]);
  queue.offer(source('b'), [line('3')]);
  output.open();
  await sleep(1);
  queue.offer(source('a'), [line('4')]);
  await sleep(1);
  expect(output.written).toEqual(['a 1', 'a 2', 'b 3', 'a 4']);
});

test('lines above the limit are counted and reported as a gap', async () => {
  const output = makeOutput();
  const queue = createLogQueue({ write: output.write, maxWaiting: 250 });
  queue.offer(source('a'), [line('1'), line('2')]);
  queue.offer(source('a'), [line('3'), line('4')]);
  queue.offer(source('a'), [line('5')]);
  queue.offer(source('b'), [line('6')]);
  output.open();
  await sleep(1);
  queue.offer(source('a'), [line('7')]);
  await sleep(1);
  expect(output.written).toEqual([
    'a 1',
    'a 2',
    'a -- gap: 3 lines not shown, the output is slower than the log --',
    'b -- gap: 1 lines not shown, the output is slower than the log --',
    'a 7',
  ]);
});

test('a single batch may exceed the limit', async () => {
  const output = makeOutput();
  const queue = createLogQueue({ write: output.write, maxWaiting: 10 });
  queue.offer(source('a'), [line('1'), line('2')]);
  output.open();
  await sleep(1);
  expect(output.written).toEqual(['a 1', 'a 2']);
});

test('an output error is reported', async () => {
  const queue = createLogQueue({
    async write() {
      throw new TypeError('a bug');
    },
  });
  queue.offer(source('a'), [line('1')]);
  await expect(queue.failed).rejects.toThrow('a bug');
});
