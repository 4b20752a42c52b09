import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { postgres } from '../../../services/common/postgres.ts';
import { readSettings } from '../../../services/common/settings.ts';

/** A port of a server that accepts connections and calls `greet` with them. */
async function startServer(greet: (socket: import('node:net').Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    greet(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

function clientOf(port: number) {
  const settings = readSettings({ DATABASE_URL: `postgresql://user:hidden@127.0.0.1:${port}/database` });
  const client = postgres(settings, []);
  settings.check();
  onTestFinished(() => client.close());
  return client;
}

const soon = () => AbortSignal.timeout(5_000);

test('a database that refuses, disconnects or does not respond is an error and no crash', async () => {
  const port = await startServer((socket) => socket.destroy());
  await expect(clientOf(port).probe(soon())).rejects.toThrow('Connection terminated unexpectedly');
  await expect(clientOf(port).query('SELECT 1')).rejects.toMatchObject({
    status: 503,
    message: 'postgres is unavailable: Connection terminated unexpectedly',
  });

  const silent = clientOf(await startServer(() => {}));
  await expect(silent.probe(AbortSignal.timeout(50))).rejects.toThrow('timeout');
  await expect(silent.query('SELECT 1')).rejects.toMatchObject({ status: 503 });
});

test("reports the database's message, and never the password", async () => {
  const port = await startServer((socket) => {
    const fields = 'SFATAL\0C3D000\0Mdatabase "database" does not exist\0\0';
    const length = Buffer.alloc(4);
    length.writeInt32BE(4 + fields.length);
    socket.end(Buffer.concat([Buffer.from('E'), length, Buffer.from(fields)]));
  });
  const refusal = await clientOf(port)
    .query('SELECT 1')
    .catch((error: Error) => error.message);
  expect(refusal).toBe('postgres is unavailable: database "database" does not exist');
});
