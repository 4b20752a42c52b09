import { expect, test } from 'vitest';
import { CommandFailure, exitCodes } from '../../src/lib/failure.ts';
import { createKind } from '../../src/tools/kind.ts';

const run = { signal: new AbortController().signal, report: () => {} };
const command =
  'ERROR: failed to create cluster: command "docker run --publish=127.0.0.1:8443:443/TCP" failed with error: exit status 125';

function create(stderr: string): Promise<void> {
  const failure = new CommandFailure('kind', {
    ...{ argv: ['kind'], status: 1, stdout: '', stderr },
    // As `exec` sets it for kind.
    exitCode: exitCodes.cluster,
  });
  const kind = createKind(() => Promise.reject(failure), { program: 'kind', env: {} });
  return kind.create('', { kubeconfig: '/k', run });
}

test.each([
  [
    'docker: Error response from daemon: driver failed programming external connectivity on endpoint wealist-control-plane (0f): Bind for 127.0.0.1:80 failed: port is already allocated.',
    80,
  ],
  [
    'docker: Error response from daemon: driver failed programming external connectivity on endpoint wealist-control-plane (0f): Error starting userland proxy: listen tcp4 127.0.0.1:8080: bind: address already in use.',
    8080,
  ],
  [
    'docker: Error response from daemon: failed to set up container networking: failed to bind host port for 127.0.0.1:8080:172.18.0.2:80/tcp: address already in use',
    8080,
  ],
  [
    'docker: Error response from daemon: Ports are not available: exposing port TCP 127.0.0.1:80 -> 127.0.0.1:0: listen tcp 127.0.0.1:80: bind: Only one usage',
    80,
  ],
  ['docker: Error response from daemon: port is already allocated', undefined],
])('a port in use: %s', async (line, port) => {
  await expect(create(`${command}\nCommand Output: 0f1e\n${line}`)).rejects.toMatchObject({
    ...{ name: 'PortTakenFailure', exitCode: 4, port },
    message: `${port === undefined ? 'a port of the cluster' : `port ${port}`} is already in use`,
  });
});

test('another error of kind has the exit code of the cluster', async () => {
  await expect(create(`${command}\nCommand Output: no space left on device`)).rejects.toMatchObject({
    ...{ name: 'Failure', exitCode: 5, message: 'kind did not create the cluster' },
  });
});
