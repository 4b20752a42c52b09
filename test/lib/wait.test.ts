import { expect, test } from 'vitest';
import { waitFor } from '../../src/lib/wait.ts';

const { signal } = new AbortController();

/** Asks once in 10 seconds; resolves to how many seconds it waited, and what came of it. */
async function wait(answers: readonly (string | undefined)[], progress: (asked: number) => string) {
  let asked = 0;
  const answer = await waitFor(async () => answers[asked++], {
    ...{ interval: 0, timeout: 60_000, signal },
    progress: () => progress(asked),
    now: () => asked * 10_000,
  });
  return { answer, seconds: asked * 10 };
}

const late = [...Array.from({ length: 30 }, () => undefined), 'ready'];

test('without progress it gives up after the timeout', async () => {
  expect(await wait(late, () => '0 of 12 pods')).toEqual({ answer: undefined, seconds: 60 });
});

test('progress lets the timeout begin anew', async () => {
  const progress = (asked: number) => `${Math.floor(asked / 4)} of 12 pods`;
  expect(await wait(late, progress)).toEqual({ answer: 'ready', seconds: 310 });
});

test('progress that ends counts from its end', async () => {
  const progress = (asked: number) => `${Math.min(asked, 5)} of 12 pods`;
  expect(await wait(late, progress)).toEqual({ answer: undefined, seconds: 110 });
});
