import type { Duplex } from 'node:stream';
import { readStart } from './read-start.ts';

/** The first line that a client sends when it knows that the server speaks HTTP/2 (RFC 9113, 3.4): so does gRPC. */
const preface = Buffer.from('PRI * HTTP/2.0\r\n');

/**
 * Whether a client speaks HTTP/2 without TLS from its first byte on. Waits for these bytes and puts them back.
 * @throws what the connection fails with.
 */
export async function detectHttp2(connection: Duplex): Promise<boolean> {
  const bytes = await readStart(
    connection,
    (read) => read.length >= preface.length || !preface.subarray(0, read.length).equals(read),
  );
  if (bytes.length > 0) connection.unshift(bytes);
  return bytes.subarray(0, preface.length).equals(preface);
}
