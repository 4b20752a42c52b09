import { createServer as createTcpServer } from 'node:net';
import { expect, test } from 'vitest';
import { listenOnLoopback } from '../../src/tools/loopback.ts';
import { listenOn } from '../fakes/forwarded-service.ts';

test('a port in use is not listened on', async () => {
  const taken = await listenOn(createTcpServer());
  expect(await listenOnLoopback(taken, () => {})).toBeUndefined();
});
