import { PassThrough } from 'node:stream';
import { createUi, type Ui, type UiOptions } from '../../src/ui/ui.ts';

export interface Screen {
  readonly ui: Ui;
  readonly stdout: () => string;
  readonly stderr: () => string;
}

/** A `Ui` that writes into memory. */
export function createScreen({
  terminal = false,
  ...options
}: Partial<UiOptions> & { readonly terminal?: boolean } = {}): Screen {
  const stdout = createOutput(terminal);
  const stderr = createOutput(terminal);
  const ui = createUi({
    ...{ stdout: stdout.stream, stderr: stderr.stream, interactive: false },
    ...{ json: false, quiet: false, verbose: false, color: terminal ? 'auto' : 'never' },
    ...options,
  });
  return { ui, stdout: stdout.text, stderr: stderr.text };
}

function createOutput(isTTY: boolean) {
  const chunks: string[] = [];
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 100, rows: 40 });
  stream.on('data', (chunk) => chunks.push(String(chunk)));
  return { stream: stream as unknown as NodeJS.WriteStream, text: () => chunks.join('') };
}
