import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

export interface LineOptions {
  /** Characters after which a line is cut: what a program writes without an end must not fill the memory. */
  readonly longest?: number;
}

/**
 * The lines of a stream, as many at a time as one chunk of it completes, so that a line costs no turn of the event
 * loop; a last one without its end, too. Reads no further than its consumer has come.
 */
export async function* readLines(
  stream: Readable,
  { longest = 256 * 1024 }: LineOptions = {},
): AsyncGenerator<readonly string[], void> {
  const cut = (line: string) => (line.length > longest ? line.slice(0, longest) : line);
  const decoder = new StringDecoder();
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + decoder.write(chunk)).split('\n');
    rest = cut(lines.pop() ?? '');
    if (lines.length > 0) yield lines.map(cut);
  }
  rest += decoder.end();
  if (rest !== '') yield [cut(rest)];
}
