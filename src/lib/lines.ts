import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

export interface LineOptions {
  /** Characters after which a line is cut, so that an endless line does not fill the memory. */
  readonly longest?: number;
}

/**
 * The lines of a stream, in one array per chunk, which is faster than one turn of the event loop per line. Includes a last
 * line without a newline. A line that was cut says by how much. Reads no further than its consumer.
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
