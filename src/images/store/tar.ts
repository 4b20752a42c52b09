import { finished, Readable } from 'node:stream';
import { type ExtractEvents, extract, type Header, type Pack, pack } from 'tar-stream';

/** A stream of the entry's content, with its header. */
type TarEntry = ExtractEvents['entry'][1];

export type HeaderOf = Partial<Header> & Pick<Header, 'name'>;

/** The tar that `write` fills; whatever `write` throws reaches whoever reads it. Nothing happens until it is read. */
export function packTar(write: (tar: Pack) => Promise<void>): Readable {
  return Readable.from(
    (async function* () {
      const tar = pack();
      write(tar).then(
        () => tar.finalize(),
        (error: Error) => tar.destroy(error),
      );
      yield* tar;
    })(),
  );
}

/** Copies a stream into an entry of its announced size, no faster than the tar is read. */
export async function addContent(
  tar: Pack,
  header: HeaderOf & { readonly size: number },
  content: AsyncIterable<unknown>,
): Promise<void> {
  const sink = tar.entry(header);
  // It ends with the error that ends the tar, whose reader hears of it.
  sink.on('error', () => {});
  const closed = new Promise<void>((resolve) => sink.once('close', resolve));
  for await (const chunk of content) {
    if (sink.destroyed) throw new Error('nobody reads the tar any longer');
    if (!sink.write(chunk))
      await Promise.race([new Promise<void>((resolve) => sink.once('drain', resolve)), closed]);
  }
  sink.end(null);
}

/**
 * The entries of a tar, in their order; each must be read, or `resume`d, before the next one comes.
 * Throws what ends the tar, or an entry in the middle.
 */
export async function* readTar(tar: Readable): AsyncGenerator<TarEntry> {
  const entries = extract();
  finished(tar, (error) => {
    if (error) entries.destroy(error);
  });
  try {
    yield* tar.pipe(entries);
  } finally {
    tar.destroy();
  }
}
