import type { Http2Stream } from 'node:http2';
import { Duplex } from 'node:stream';

/**
 * The same stream without HTTP/2's own behaviour, and written to in whole buffers. Node's HTTP/1 server on a bare
 * `Http2Stream` sends memory that was freed: the strings of one `writev` are gone before HTTP/2 reads them (Node 20.20).
 */
export function toPlainStream(stream: Http2Stream): Duplex {
  const plain = new Duplex({
    allowHalfOpen: true,
    read: () => void stream.resume(),
    write: (chunk: Buffer, _, done) => void stream.write(chunk, done),
    final: (done) => void stream.end(done),
    destroy(error, done) {
      // Otherwise the other end could not tell what was cut off from what has ended.
      const isWhole = plain.readableEnded && plain.writableFinished;
      stream.destroy(isWhole ? undefined : (error ?? new Error('the connection was cut off')));
      done(error);
    },
  });
  stream.pause();
  stream.on('data', (chunk: Buffer) => {
    if (!plain.push(chunk)) stream.pause();
  });
  stream.on('end', () => plain.push(null));
  stream.on('error', (error) => plain.destroy(error));
  stream.on('close', () => plain.destroy());
  return plain;
}
