import { toTerminalText } from './terminal-text.ts';

const sequence = '\x1b[';
/** The terminal truncates lines that are too long. */
const noWrap = `${sequence}?7l`;
const wrap = `${sequence}?7h`;
const clearLine = `${sequence}K`;
const clearBelow = `${sequence}J`;

/** Draws each text over the previous one, at the end of the terminal; lines beyond its height are left out. */
export function createRedraw(output: NodeJS.WriteStream, colors: boolean): (text: string) => void {
  let drawn = 0;
  return (text) => {
    const lines = toTerminalText(text, { colors }).split('\n');
    const room = Math.max(1, (output.rows || 24) - 1);
    const shown = lines.length > room ? [...lines.slice(0, room - 1), '…'] : lines;
    const back = drawn === 0 ? '' : `${sequence}${drawn}A\r`;
    // A single write, to avoid flicker.
    output.write(
      `${noWrap}${back}${shown.map((line) => `${line}${clearLine}\n`).join('')}${clearBelow}${wrap}`,
    );
    drawn = shown.length;
  };
}
