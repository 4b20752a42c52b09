import { readFile, writeFile } from 'node:fs/promises';
import type { Checkout } from './checkout.ts';

/** A session of an MCP client as Markdown: what it did, each call and its result. */
export interface Transcript {
  note(text: string): void;
  call(tool: string, input: object, result: { readonly isError: boolean; readonly value: unknown }): void;
  /** Replaces what follows the heading in this file; does nothing without a file. */
  write(file: string | undefined): Promise<void>;
}

/** The heading above the session. */
const heading = '## A session\n';

const introduction =
  'The official MCP client of the test `test/e2e/agents.test.ts` had this session on a real cluster, and wrote it down. No model took part.';

export function createTranscript({ root, name }: Pick<Checkout, 'root' | 'name'>): Transcript {
  const parts: string[] = [];
  const toJson = (value: unknown) =>
    JSON.stringify(value, undefined, 2).replaceAll(root, '.').replaceAll(name, 'wealist');

  return {
    note: (text) => void parts.push(text),
    call(tool, input, { isError, value }) {
      parts.push(
        `**${tool}** \`${JSON.stringify(input)}\` → ${isError ? 'isError' : 'result'}`,
        `\`\`\`json\n${toJson(value)}\n\`\`\``,
      );
    },
    async write(file) {
      if (file === undefined) return;
      const [before = ''] = (await readFile(file, 'utf8')).split(heading);
      await writeFile(file, `${before}${heading}\n${[introduction, ...parts].join('\n\n')}\n`);
    },
  };
}
