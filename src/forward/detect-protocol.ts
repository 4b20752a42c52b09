import type { Duplex } from 'node:stream';
import { readStart } from './read-start.ts';

/** What a client speaks, as far as it matters here. */
export type Spoken = 'http' | 'http2' | 'tcp';

/** The first line that a client sends when it knows that the server speaks HTTP/2 (RFC 9113, 3.4): so does gRPC. */
const preface = 'PRI * HTTP/2.0\r\n';

/** Bytes of a first line after which it is none of HTTP. */
const longestLine = 64 * 1024;

/** Milliseconds in which the next part of a first line must come. */
const lineTimeout = 1_000;

/** Whether a client speaks HTTP/2 without TLS. Waits for its first bytes and puts them back. */
export async function detectHttp2(connection: Duplex): Promise<boolean> {
  const isPossible = (bytes: Buffer) => preface.startsWith(bytes.toString('latin1', 0, preface.length));
  const bytes = await readStart(connection, (read) => read.length >= preface.length || !isPossible(read));
  if (bytes.length > 0) connection.unshift(bytes);
  return bytes.length >= preface.length && isPossible(bytes);
}

/**
 * What a client speaks, by its first line: `tcp` is everything but HTTP. Waits for its first bytes and puts them back;
 * a line that does not go on is none of HTTP.
 */
export async function detectProtocol(connection: Duplex): Promise<Spoken> {
  const first = await readStart(connection, ({ length }) => length > 0);
  if (first.length > 0) connection.unshift(first);
  const bytes = await readStart(connection, (read) => recognize(read) !== undefined, lineTimeout);
  if (bytes.length > 0) connection.unshift(bytes);
  return recognize(bytes) ?? 'tcp';
}

/** What these first bytes show; undefined while they may still become a line of HTTP. */
function recognize(bytes: Buffer): Spoken | undefined {
  const text = bytes.toString('latin1', 0, longestLine);
  if (text.startsWith(preface)) return 'http2';
  if (preface.startsWith(text)) return undefined;
  const [line = ''] = text.split('\n', 1);
  if (!/^[A-Z-]+( |$)/.test(line)) return 'tcp';
  if (line.length === text.length) return text.length < longestLine ? undefined : 'tcp';
  return / HTTP\/1\.[01]\r?$/.test(line) ? 'http' : 'tcp';
}
