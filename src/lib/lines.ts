import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

export interface LineOptions {
  /** Characters after which a line is cut: what a program writes without an end must not fill the memory. */
  readonly longest?: number;
}

/**
 * The lines of a stream, as many at a time as one chunk of it completes, so that a line costs no turn of the event
 * loop; a last one without its end, too. One that was cut says by how much. Reads no further than its consumer has come.
 */
export async function* readLines(
  stream: Readable,
  { longest = 64 * 1024 }: LineOptions = {},
): AsyncGenerator<readonly string[], void> {
  const decoder = new StringDecoder();
  let rest = '';
  /** Characters that were cut off `rest`. */
  let missing = 0;

  function toWhole(line: string, at: number): string {
    const over = line.length - longest + (at === 0 ? missing : 0);
    return over > 0 ? `${line.slice(0, longest)} … ${over} more characters` : line;
  }

  for await (const chunk of stream) {
    const lines = (rest + decoder.write(chunk)).split('\n');
    rest = lines.pop() ?? '';
    if (lines.length > 0) {
      yield lines.map(toWhole);
      missing = 0;
    }
    if (rest.length <= longest) continue;
    missing += rest.length - longest;
    rest = rest.slice(0, longest);
  }
  rest += decoder.end();
  if (rest !== '') yield [toWhole(rest, 0)];
}
