import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** A Redis server that supports connecting, PING, PUBLISH and SUBSCRIBE over the real protocol. */
export interface FakeRedisServer {
  readonly port: number;
  /** While true, it neither reads nor responds, like a host that vanished. */
  isUnresponsive: boolean;
  /** Closes every connection and the port. */
  stop(): Promise<void>;
}

export async function startFakeRedisServer(port = 0): Promise<FakeRedisServer> {
  const sockets = new Set<Socket>();
  const subscribers = new Map<string, Set<Socket>>();
  const bulk = (text: string) => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;

  function respond(socket: Socket, [command = '', ...args]: readonly string[]): string {
    const [first = '', second = ''] = args;
    const subscribed = subscribers.get(first) ?? new Set();
    switch (command.toUpperCase()) {
      case 'HELLO':
        return `%2\r\n${bulk('server')}${bulk('redis')}${bulk('proto')}:3\r\n`;
      case 'PING':
        return '+PONG\r\n';
      case 'SUBSCRIBE':
        subscribers.set(first, subscribed.add(socket));
        return `>3\r\n${bulk('subscribe')}${bulk(first)}:1\r\n`;
      case 'UNSUBSCRIBE':
        subscribed.delete(socket);
        return `>3\r\n${bulk('unsubscribe')}${bulk(first)}:0\r\n`;
      case 'PUBLISH':
        for (const other of subscribed) other.write(`>3\r\n${bulk('message')}${bulk(first)}${bulk(second)}`);
        return `:${subscribed.size}\r\n`;
      default:
        return '+OK\r\n';
    }
  }

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      sockets.delete(socket);
      for (const subscribed of subscribers.values()) subscribed.delete(socket);
    });
    let unread = '';
    socket.on('data', (chunk) => {
      if (fake.isUnresponsive) return;
      unread += chunk.toString('latin1');
      for (let command = takeCommand(); command !== undefined; command = takeCommand()) {
        socket.write(respond(socket, command));
      }
    });

    /** `*2\r\n$4\r\nPING\r\n$1\r\nx\r\n` → PING, x; only ASCII. */
    function takeCommand(): string[] | undefined {
      const lines = unread.split('\r\n');
      const count = Number(lines[0]?.slice(1));
      if (!unread.startsWith('*') || lines.length < 2 * count + 2) return undefined;
      unread = lines.slice(2 * count + 1).join('\r\n');
      return lines.slice(1, 2 * count + 1).filter((_line, i) => i % 2 === 1);
    }
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');

  const fake: FakeRedisServer = {
    port: (server.address() as AddressInfo).port,
    isUnresponsive: false,
    async stop() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
  return fake;
}
