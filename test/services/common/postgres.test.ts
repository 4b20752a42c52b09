import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { postgres, type Table } from '../../../services/common/postgres.ts';
import { readSettings } from '../../../services/common/settings.ts';

/** A port of a server that accepts connections and calls `greet` with them. */
async function startServer(greet: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    greet(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

function clientOf(port: number, tables: readonly Table[] = [], env = {}) {
  const url = `postgresql://user:hidden@127.0.0.1:${port}/database`;
  const settings = readSettings({ DATABASE_URL: url, ...env });
  const client = postgres(settings, tables);
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

/** A message of PostgreSQL's protocol (documentation, "Message Formats"). */
function toMessage(type: string, ...fields: readonly string[]): Buffer {
  const body = Buffer.from(fields.join(''), 'latin1');
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(type), length, body]);
}

/** A server that records what clients send, and answers each query with success or with an error's code and message. */
async function startDatabase(answer: (sql: string) => readonly [code: string, message: string] | undefined) {
  const queries: string[] = [];
  let startup = '';
  const idle = toMessage('Z', 'I');
  const port = await startServer((socket) => {
    socket.once('data', (first) => {
      startup = first.toString('latin1').slice(8);
      socket.write(Buffer.concat([toMessage('R', '\0\0\0\0'), idle]));
      socket.on('data', (data) => {
        if (data.at(0) !== 'Q'.charCodeAt(0)) return;
        const sql = data.subarray(5, -1).toString();
        queries.push(sql);
        const error = answer(sql);
        const reply = error
          ? toMessage('E', 'SERROR\0', `C${error[0]}\0`, `M${error[1]}\0`, '\0')
          : toMessage('C', 'SELECT 0\0');
        socket.write(Buffer.concat([reply, idle]));
      });
    });
  });
  return { port, queries, startup: () => startup };
}

const boards: Table = { name: 'boards', columns: 'id integer', reads: 'id, text' };

test('its tables are in a schema of their own, and are made there where they are missing', async () => {
  const database = await startDatabase((sql) =>
    sql.includes('CREATE') ? undefined : ['42P01', 'relation "boards" does not exist'],
  );
  await clientOf(database.port, [boards]).probe(soon());
  expect(database.startup()).toContain('options\0-c search_path=stand_in\0');
  expect(database.queries).toEqual([
    'SELECT 1; SELECT id, text FROM boards LIMIT 0;',
    expect.stringMatching(
      /CREATE SCHEMA IF NOT EXISTS stand_in; CREATE TABLE IF NOT EXISTS boards \(id integer\);$/,
    ),
  ]);
});

test('a table without a column that the routes read is down, and nothing is made', async () => {
  const database = await startDatabase(() => ['42703', 'column "text" does not exist']);
  await expect(clientOf(database.port, [boards]).probe(soon())).rejects.toThrow(
    'column "text" does not exist',
  );
  expect(database.queries.filter((sql) => sql.includes('CREATE'))).toEqual([]);
});
