import { scrubSecrets } from '../lib/secret-values.ts';

// OSC, DCS, PM, APC and SOS with all they carry (an unended one takes the rest of its line); CSI; any other escape;
// control characters but newline and tab; marks that change what is seen without changing what is read.
const unsafe =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for.
  /(?:\x1b[\]P^_X]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?|\x1b[ -/]*[0-~]?|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

// The colours of `style.ts`. None of them hides text.
// biome-ignore lint/suspicious/noControlCharactersInRegex: an escape is what it looks for.
const color = /^\x1b\[(?:0|1|2|22|3[1-6]|39|9[0-6])m$/;

/**
 * Text as it may reach a terminal or a file: secrets replaced; escape sequences and control characters taken out, but
 * for newline, tab and, with `colors`, plain colours.
 */
export function toTerminalText(text: string, { colors = false }: { readonly colors?: boolean } = {}): string {
  return scrubSecrets(text).replace(unsafe, (match) => (colors && color.test(match) ? match : ''));
}
