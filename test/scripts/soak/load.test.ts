import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { startLoad } from '../../../scripts/soak/load.ts';

async function serve(answer: (response: ServerResponse) => void): Promise<string> {
  const server = createServer((_, response) => answer(response)).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

test('an answer with another status or body is a failure, except while something disturbs', async () => {
  let answer = { status: 200, body: 'the row' };
  let answered = 0;
  const url = await serve((response) => {
    answered += 1;
    response.writeHead(answer.status).end(answer.body);
  });
  const load = startLoad([{ url, expected: 'the row' }], 1);
  const waitForAnswers = async () => {
    const wanted = answered + 5;
    await expect.poll(() => answered, { interval: 1 }).toBeGreaterThan(wanted);
  };
  await waitForAnswers();
  await load.disturb(async () => {
    answer = { status: 503, body: 'the node is stopped' };
    await waitForAnswers();
    answer = { status: 200, body: 'the row' };
    await waitForAnswers();
  });
  answer = { status: 200, body: 'another row' };
  await waitForAnswers();
  const { sent, failed, expected } = await load.stop();
  expect(sent).toBeGreaterThan(20);
  expect(expected).toBeGreaterThan(3);
  expect(new Set(failed.map(({ reason }) => reason))).toEqual(new Set(['200 another row']));
});

test('one that was sent before a disturbance and fails during it is not counted', async () => {
  const held: ServerResponse[] = [];
  const url = await serve((response) => held.push(response));
  const load = startLoad([{ url, expected: '' }], 1);
  await expect.poll(() => held.length, { interval: 1 }).toBeGreaterThan(2);
  await load.disturb(async () => {
    for (const response of held.splice(0)) response.destroy();
    await sleep(20);
  });
  const stopped = load.stop();
  for (const response of held.splice(0)) response.end();
  await sleep(20);
  for (const response of held.splice(0)) response.end();
  expect(await stopped).toMatchObject({ failed: [] });
});
