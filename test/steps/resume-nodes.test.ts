import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { waitForApi } from '../../src/steps/resume-nodes.ts';
import { ApiFailure, type ApiServer } from '../../src/tools/kubernetes/api-server.ts';

const run = { signal: new AbortController().signal, report: () => {} };

/** An API server that responds to the requests with these in turn, over and over. */
function openServer(responses: readonly (string | Error)[]) {
  let asked = 0;
  const open = async () => {
    const response = responses[asked++ % responses.length];
    if (response instanceof Error) throw response;
    return Readable.from([response]);
  };
  return async () => ({ open }) as unknown as ApiServer;
}

test('an API server that crashes again and again is not waited for without end, and the data are said to stay', async () => {
  const reasons = ['connect ECONNREFUSED', 'socket hang up', 'etcd failed: reason withheld'];
  const server = openServer(
    reasons.map((cause) => new ApiFailure('the cluster does not respond', { cause })),
  );
  await expect(waitForApi(server, 'wealist', run, { timeout: 30, interval: 1 })).rejects.toMatchObject({
    message: expect.stringContaining('the API server of cluster wealist is not ready'),
    cause: expect.stringContaining('the cluster does not respond'),
    hint: 'npm run down, then npm run up: the data is preserved',
    exitCode: 5,
  });
});
