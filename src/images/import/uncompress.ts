import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { Decompress } from 'fzstd';

const magic = { gzip: Buffer.from([0x1f, 0x8b]), zstd: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]) } as const;

/** A layer's tar, decompressed if its first bytes are those of gzip or zstd. */
export async function* uncompress(
  content: AsyncIterable<unknown> | readonly Buffer[],
): AsyncGenerator<Uint8Array> {
  const chunks = Readable.from(content)[Symbol.asyncIterator]();
  const first = await chunks.next();
  const start: Buffer = first.done ? Buffer.alloc(0) : first.value;
  const whole = (async function* (): AsyncGenerator<Buffer> {
    yield start;
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
  })();
  if (start.subarray(0, 2).equals(magic.gzip)) {
    // An error also ends the result's stream and so reaches its reader.
    yield* pipeline(whole, createGunzip(), () => {});
  } else if (start.subarray(0, 4).equals(magic.zstd)) {
    yield* unzstd(whole);
  } else {
    yield* whole;
  }
}

/** Node 20 has no decompressor of its own, and that of Node 24 ends after the first of several frames. */
async function* unzstd(chunks: AsyncIterable<Buffer>): AsyncGenerator<Uint8Array> {
  let written: Uint8Array[] = [];
  const decompress = new Decompress((chunk) => written.push(chunk));
  const take = () => {
    const taken = written;
    written = [];
    return taken;
  };
  for await (const chunk of chunks) {
    decompress.push(chunk);
    yield* take();
  }
  // Fails where the last frame is incomplete.
  decompress.push(new Uint8Array(), true);
  yield* take();
}
