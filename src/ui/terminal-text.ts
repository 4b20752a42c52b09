import { scrubSecrets } from '../lib/secret-values.ts';

// OSC, DCS, PM, APC and SOS with their content (an unterminated one extends to the end of its line); CSI; any other
// escape sequence; control characters except newline and tab; bidirectional marks, which reorder the displayed text.
const unsafe =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for.
  /(?:\x1b[\]P^_X]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?|\x1b[ -/]*[0-~]?|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

// The colours of `style.ts`, none of which hides text.
// biome-ignore lint/suspicious/noControlCharactersInRegex: an escape is what it looks for.
const color = /^\x1b\[(?:0|1|2|22|3[1-6]|39|9[0-6])m$/;

/**
 * Text that is safe for a terminal or a file: secrets are replaced; escape sequences and control characters are removed,
 * except newline, tab and, with `colors`, plain colours.
 */
export function toTerminalText(text: string, { colors = false }: { readonly colors?: boolean } = {}): string {
  return scrubSecrets(text).replace(unsafe, (match) => (colors && color.test(match) ? match : ''));
}
