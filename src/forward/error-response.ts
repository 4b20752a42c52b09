import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { sendHttp2Error } from './http2-error.ts';
import { readStart } from './read-start.ts';
import type { BufferedClient } from './relay-connection.ts';

/** The client's protocol, in which errors are sent. */
export type Protocol = 'http' | 'http2' | 'postgres' | 'redis' | 'tcp';

export interface HttpErrorResponse {
  readonly status: number;
  readonly reason: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Milliseconds to wait for the client's first message, and for its connection to close. */
const timeout = 2_000;

/** The statuses of requests that were not served. */
export type ErrorStatus = 502 | 503;

const phrases: Readonly<Record<ErrorStatus, string>> = { 502: 'Bad Gateway', 503: 'Service Unavailable' };

/** An error with the reason as its body. */
export function toErrorResponse(status: ErrorStatus, reason: string): HttpErrorResponse {
  return {
    status,
    reason: phrases[status],
    headers: { 'content-type': 'text/plain; charset=utf-8', 'retry-after': '5', 'cache-control': 'no-store' },
    body: `${reason}\n`,
  };
}

/** Sends the reason to the client as an error of its protocol, and closes the connection. */
export async function sendError(protocol: Protocol, client: BufferedClient, reason: string): Promise<void> {
  const { connection, buffered = [] } = client;
  // These bytes were read but not delivered.
  if (buffered.length > 0) connection.unshift(Buffer.concat(buffered));
  const sent = senders[protocol](connection, reason);
  await Promise.race([sent, sleep(timeout, undefined, { ref: false })]);
  connection.end();
  // Unread data would keep the connection open.
  connection.resume();
  await Promise.race([once(connection, 'close').catch(() => {}), sleep(timeout, undefined, { ref: false })]);
  connection.destroy();
}

type SendError = (connection: Duplex, reason: string) => Promise<void>;

const senders: Readonly<Record<Protocol, SendError>> = {
  async http(connection, reason) {
    const { status, reason: phrase, headers, body } = toErrorResponse(503, reason);
    const allHeaders = { ...headers, 'content-length': Buffer.byteLength(body), connection: 'close' };
    const lines = Object.entries(allHeaders).map(([name, value]) => `${name}: ${value}\r\n`);
    connection.write(`HTTP/1.1 ${status} ${phrase}\r\n${lines.join('')}\r\n${body}`);
  },

  http2: sendHttp2Error,

  // Its protocol is unknown: the connection is closed, which every client understands.
  async tcp() {},

  async redis(connection, reason) {
    connection.write(`-ERR ${toLine(reason)}\r\n`);
  },

  async postgres(connection, reason) {
    // A client may request encryption before it sends its startup message.
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

/**
 * Reads a startup or encryption request and returns its code. It begins with the length and the code, four bytes each.
 */
async function readStartup(connection: Duplex): Promise<number> {
  const bytes = await readStart(
    connection,
    (read) => read.length >= 8 && read.length >= read.readUInt32BE(0),
  );
  return bytes.length >= 8 ? bytes.readUInt32BE(4) : 0;
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
