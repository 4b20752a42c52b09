import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HeldClient } from './splice.ts';

/** What a client speaks, and so how it is told that nobody answers. */
export type Protocol = 'http' | 'postgres' | 'redis';

export interface HttpRefusal {
  readonly status: number;
  readonly reason: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Milliseconds for which a client is listened to before it is told. */
const timeout = 2_000;

/** 503 with the reason as its body. */
export function toHttpRefusal(reason: string): HttpRefusal {
  return {
    status: 503,
    reason: 'Service Unavailable',
    headers: { 'content-type': 'text/plain; charset=utf-8', 'retry-after': '5', 'cache-control': 'no-store' },
    body: `${reason}\n`,
  };
}

/** Tells a client, in what it speaks, why nobody answers, and ends its connection. */
export async function refuse(protocol: Protocol, client: HeldClient, reason: string): Promise<void> {
  const { connection, held = [] } = client;
  // What was read of it and delivered to nobody.
  if (held.length > 0) connection.unshift(Buffer.concat(held));
  const told = refusals[protocol](connection, reason);
  await Promise.race([told, sleep(timeout, undefined, { ref: false })]);
  connection.end();
  // What it still says would otherwise keep the connection open.
  connection.resume();
  await Promise.race([once(connection, 'close').catch(() => {}), sleep(timeout, undefined, { ref: false })]);
  connection.destroy();
}

type Refuse = (connection: Duplex, reason: string) => Promise<void>;

const refusals: Readonly<Record<Protocol, Refuse>> = {
  async http(connection, reason) {
    const { status, reason: phrase, headers, body } = toHttpRefusal(reason);
    const all = { ...headers, 'content-length': Buffer.byteLength(body), connection: 'close' };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    connection.write(`HTTP/1.1 ${status} ${phrase}\r\n${lines.join('')}\r\n${body}`);
  },

  async redis(connection, reason) {
    connection.write(`-ERR ${toLine(reason)}\r\n`);
  },

  async postgres(connection, reason) {
    // Before it says who it is, a client asks whether the connection can be encrypted.
    for (;;) {
      const code = await readStartup(connection);
      if (code !== sslRequest && code !== gssRequest) break;
      connection.write('N');
    }
    connection.write(toPostgresError(reason));
  },
};

/** https://www.postgresql.org/docs/17/protocol-message-formats.html */
const sslRequest = 80_877_103;
const gssRequest = 80_877_104;
const cannotConnectNow = '57P03';

/** The code of the client's next first message: its length and its code, four bytes each, and more. */
async function readStartup(connection: Duplex): Promise<number> {
  let bytes = Buffer.alloc(0);
  for await (const chunk of on(connection)) {
    bytes = Buffer.concat([bytes, chunk]);
    if (bytes.length >= 8 && bytes.length >= bytes.readUInt32BE(0)) break;
  }
  return bytes.length >= 8 ? bytes.readUInt32BE(4) : 0;
}

/** The chunks of a connection, which stays open when no more of them are wanted. */
async function* on(connection: Duplex): AsyncGenerator<Buffer> {
  while (!connection.readableEnded && !connection.destroyed) {
    const chunk: Buffer | null = connection.read();
    if (chunk) yield chunk;
    else await Promise.race(['readable', 'end', 'close'].map((event) => once(connection, event)));
  }
}

function toPostgresError(reason: string): Buffer {
  const fields = { S: 'FATAL', V: 'FATAL', C: cannotConnectNow, M: reason };
  const texts = Object.entries(fields).map(([name, value]) => `${name}${value.replaceAll('\0', '')}\0`);
  const body = Buffer.from(`${texts.join('')}\0`);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length + length.length);
  return Buffer.concat([Buffer.from('E'), length, body]);
}

function toLine(text: string): string {
  return text
    .split(/[\r\n]+/)
    .filter(Boolean)
    .join('; ');
}
