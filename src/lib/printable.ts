/** Characters that move the cursor, reorder text or cannot be seen; except for the plain space. */
const unprintable = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu;
const notAscii = /[^\x20-\x7e]/gu;

/** The text with every character that a terminal would act on, or would not show, written as `\u{…}`. */
export function toPrintable(text: string): string {
  return text.replace(unprintable, toEscape);
}

/** The same with all but printable ASCII escaped: for names, where a look-alike letter is the mistake itself. */
export function toAscii(text: string): string {
  return text.replace(notAscii, toEscape);
}

function toEscape(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
