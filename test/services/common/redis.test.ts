import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { redis } from '../../../services/common/redis.ts';
import { readSettings } from '../../../services/common/settings.ts';
import { type FakeRedisServer, startFakeRedisServer } from '../../fakes/redis-server.ts';

function clientOf(env: Readonly<Record<string, string>>) {
  const settings = readSettings(env);
  const client = redis(settings);
  settings.check();
  onTestFinished(() => client.close());
  return client;
}

async function startServer(at?: number): Promise<FakeRedisServer> {
  const server = await startFakeRedisServer(at);
  onTestFinished(() => server.stop().catch(() => {}));
  return server;
}

const addressOf = ({ port }: FakeRedisServer) => ({ REDIS_HOST: '127.0.0.1', REDIS_PORT: String(port) });
const soon = () => AbortSignal.timeout(5_000);

/** Publishes until the message is received, because a subscription takes effect after a delay. */
async function expectDelivery(client: ReturnType<typeof redis>, heard: string[], message: string) {
  await expect
    .poll(async () => {
      await client.publish('news', message).catch(() => {});
      return heard;
    })
    .toContain(message);
}

test('works through REDIS_HOST and REDIS_PORT, or REDIS_URL', async () => {
  const server = await startServer();
  await clientOf(addressOf(server)).probe(soon());
  await clientOf({ REDIS_URL: `redis://:p%40ss@127.0.0.1:${server.port}/1` }).probe(soon());
});

test('reports why it is not connected, and commands fail with 503 instead of waiting', async () => {
  const server = await startServer();
  await server.stop();
  const client = clientOf(addressOf(server));
  await expect(client.probe(soon())).rejects.toThrow(`connect ECONNREFUSED 127.0.0.1:${server.port}`);
  await expect(client.publish('news', 'x')).rejects.toMatchObject({
    status: 503,
    message: `redis is unavailable: connect ECONNREFUSED 127.0.0.1:${server.port}`,
  });
});

test('reconnects and resubscribes after an outage', async () => {
  const server = await startServer();
  const client = clientOf(addressOf(server));
  const heard: string[] = [];
  client.subscribe('news', (message) => heard.push(message));
  await client.probe(soon());
  await expectDelivery(client, heard, 'before');

  await server.stop();
  await expect.poll(() => client.probe(soon()).then(String, String)).toContain('Error');
  await startServer(server.port);
  await expect.poll(() => client.probe(soon()).then(() => 'up', String)).toBe('up');
  await expectDelivery(client, heard, 'after');
});

test('replaces a connection that does not respond', async () => {
  const server = await startServer();
  const client = clientOf(addressOf(server));
  const heard: string[] = [];
  client.subscribe('news', (message) => heard.push(message));
  await client.probe(soon());

  server.isUnresponsive = true;
  await expect(client.probe(AbortSignal.timeout(50))).rejects.toThrow();
  await expect(client.probe(AbortSignal.timeout(50))).rejects.toThrow();
  server.isUnresponsive = false;
  // The previous connections never respond again; what was sent on them is lost.
  await expect.poll(() => client.probe(AbortSignal.timeout(500)).then(() => 'up', String)).toBe('up');
  await expectDelivery(client, heard, 'after');
});

test('only the unsubscribed listener stops receiving', async () => {
  const client = clientOf(addressOf(await startServer()));
  const [left, stayed]: [string[], string[]] = [[], []];
  const leave = client.subscribe('news', (message) => left.push(message));
  client.subscribe('news', (message) => stayed.push(message));
  await client.probe(soon());
  await expectDelivery(client, left, 'one');
  leave();
  await expectDelivery(client, stayed, 'two');
  await sleep(20);
  expect(left).not.toContain('two');
});
