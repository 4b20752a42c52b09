import { expect, test } from 'vitest';
import { retryOnTakenPort } from '../../../src/commands/up/retry-ports.ts';
import { Failure } from '../../../src/lib/failure.ts';
import { PortTakenFailure } from '../../../src/tools/kind.ts';

/** The ports that each attempt avoids, and what was said, where the attempts fail with these errors. */
async function attempt(...errors: readonly Error[]) {
  const avoided: (readonly number[])[] = [];
  const said: string[] = [];
  const result = await retryOnTakenPort({ say: (line) => void said.push(line) }, async (ports) => {
    avoided.push([...ports]);
    const error = errors[avoided.length - 1];
    if (error) throw error;
    return 'created';
  }).catch((error: unknown) => error);
  return { avoided, said, result };
}

test('a port that was taken meanwhile is avoided in a second attempt', async () => {
  expect(await attempt(new PortTakenFailure(80, undefined))).toEqual({
    avoided: [[], [80]],
    said: ['port 80 is already in use: choosing the ports again'],
    result: 'created',
  });
});

test('there is no third attempt, and no second one after another failure', async () => {
  const taken = [80, 8080].map((port) => new PortTakenFailure(port, undefined));
  expect(await attempt(...taken)).toMatchObject({ avoided: [[], [80]], result: taken[1] });
  const failure = new Failure('kind did not create the cluster');
  expect(await attempt(failure)).toMatchObject({ avoided: [[]], result: failure });
});
