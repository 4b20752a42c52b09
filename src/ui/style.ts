import pc from 'picocolors';

export const symbols = { done: '✔', failed: '✗', skipped: '↓', pointer: '❯' } as const;

export type Colors = ReturnType<typeof pc.createColors>;

/** Colours for one output; if disabled, each function returns its text unchanged. */
export function createColors(enabled: boolean): Colors {
  return pc.createColors(enabled);
}

/** One of the four symbols in its colour. */
export function toSymbol(name: keyof typeof symbols, colors: Colors): string {
  const color = { done: colors.green, failed: colors.red, skipped: colors.yellow, pointer: colors.cyan }[
    name
  ];
  return color(symbols[name]);
}

/** A line of a plan: symbol, title and dimmed note. */
export function toSymbolLine(
  name: keyof typeof symbols,
  title: string,
  colors: Colors,
  note?: string,
): string {
  return `  ${toSymbol(name, colors)} ${withNote(title, colors, note)}`;
}

/** A title with a dimmed note, if there is one. */
export function withNote(title: string, colors: Colors, note: string | undefined): string {
  return note ? `${title}  ${colors.dim(note)}` : title;
}
