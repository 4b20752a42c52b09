/** What this program prints beyond ASCII by itself, and how it is written on a terminal that cannot show it. */
const replacements: Readonly<Record<string, string>> = {
  ...{ '✔': '+', '✗': 'x', '×': 'x', '↓': '-', '❯': '>', '→': '->', '…': '...', '█': '#' },
};
const replaced = new RegExp(`[${Object.keys(replacements).join('')}]`, 'g');

/** Whether the locale names another encoding than UTF-8 (locale(7)); without a locale, UTF-8 is assumed. */
export function isOtherCharset({ LC_ALL, LC_CTYPE, LANG }: Readonly<NodeJS.ProcessEnv>): boolean {
  const locale = LC_ALL || LC_CTYPE || LANG || '';
  return locale !== '' && !/utf-?8/i.test(locale);
}

export function toAscii(text: string): string {
  return text.replace(replaced, (character) => replacements[character] ?? '');
}

/** Makes a terminal get `toAscii` of all texts, also of those that libraries draw. Nothing else is changed. */
export function writeAscii(output: NodeJS.WriteStream): void {
  const write = output.write.bind(output) as (...args: readonly unknown[]) => boolean;
  output.write = (chunk: unknown, ...rest: readonly unknown[]) =>
    write(typeof chunk === 'string' ? toAscii(chunk) : chunk, ...rest);
}
