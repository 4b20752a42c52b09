import { finished, Readable } from 'node:stream';
import { type ExtractEvents, extract, type Header, type Pack, pack } from 'tar-stream';

/** A stream of the entry's content, with its header. */
type TarEntry = ExtractEvents['entry'][1];

export type HeaderOf = Partial<Header> & Pick<Header, 'name'>;

/** The tar that `write` fills once it is read; an error of `write` ends the stream with that error. */
export function packTar(write: (tar: Pack) => Promise<void>): Readable {
  return Readable.from(
    (async function* () {
      const tar = packQuietly();
      write(tar).then(
        () => tar.finalize(),
        (error: Error) => tar.destroy(error),
      );
      yield* tar;
    })(),
  );
}

/**
 * A tar whose entries end with the same error as itself, which its reader gets: without a listener of their own they would
 * end the process, as when the disk of the reader is full.
 */
function packQuietly(): Pack {
  const tar = pack();
  const addEntry = tar.entry.bind(tar) as (...args: unknown[]) => ReturnType<Pack['entry']>;
  return Object.assign(tar, {
    entry: (...args: unknown[]) => addEntry(...args).on('error', () => {}),
  });
}

/** Copies a stream into an entry of the header's size, no faster than the tar is read. */
export async function addContent(
  tar: Pack,
  header: HeaderOf & { readonly size: number },
  content: AsyncIterable<unknown>,
): Promise<void> {
  const sink = tar.entry(header);
  const closed = new Promise<void>((resolve) => sink.once('close', resolve));
  for await (const chunk of content) {
    if (sink.destroyed) throw new Error('the tar is no longer read');
    if (!sink.write(chunk))
      await Promise.race([new Promise<void>((resolve) => sink.once('drain', resolve)), closed]);
  }
  sink.end(null);
}

/**
 * The entries of a tar in order; each must be read, or `resume`d, before the next one.
 * @throws the error that ended the stream, also in the middle of an entry.
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
