// Creates the README's pictures: runs a command in its own terminal (tmux) and draws the screen at the end.
//   node --import tsx scripts/terminal-picture.ts --out docs/up.svg -- npm run up
// With --session, each word is a command line, and they run one after the other.
import { $, argv, fs, quote } from 'zx';

interface Run {
  readonly text: string;
  readonly column: number;
  readonly style: string;
}

const columns = Number(argv.columns ?? 100);
const height = Number(argv.rows ?? 60);
const out: string = argv.out;
const words: readonly string[] = argv._.map(String);
const lines = argv.session ? words : [words.map(quote).join(' ')];

/** Sizes in pixels: one character, the margin, and the title bar. */
const cell = { width: 8, height: 18 };
const margin = 16;
const bar = 30;

/** The colours that the program uses, by SGR code. */
const colors: Readonly<Record<number, string>> = {
  31: '#f47067',
  32: '#57ab5a',
  33: '#c69026',
  34: '#6cb6ff',
  35: '#dcbdfb',
  36: '#39c5cf',
  90: '#768390',
};

const screen = await record();
await fs.outputFile(out, draw(screen.trimEnd().split('\n')));

/** The screen at the end of the command, with escape sequences for colours. */
async function record(): Promise<string> {
  const tmux = (args: readonly string[]) => $({ quiet: true })`tmux -L picture -f /dev/null -u ${args}`;
  // The screen is captured before the shell exits, because the terminal ends with it.
  const shown = lines.map((line) => `printf '$ %s\\n' ${quote(line)}; ${line}`);
  const script = [...shown, 'tmux -L picture wait-for -S ended', 'read -r _'].join('; ');
  await tmux(['new-session', '-d', '-x', `${columns}`, '-y', `${height}`, script]);
  try {
    await tmux(['wait-for', 'ended']);
    return (await tmux(['capture-pane', '-e', '-p', '-S', '-'])).stdout;
  } finally {
    await tmux(['kill-server']);
  }
}

function draw(rows: readonly string[]): string {
  const width = columns * cell.width + 2 * margin;
  const height = rows.length * cell.height + 2 * margin + bar;
  const buttons = ['#f47067', '#c69026', '#57ab5a'].map(
    (color, at) => `<circle cx="${margin + 6 + at * 18}" cy="20" r="5" fill="${color}"/>`,
  );
  let style = '';
  const texts = rows.flatMap((line, at) => {
    const read = readLine(line, style);
    style = read.style;
    return read.runs.filter(({ text }) => text.trim() !== '').map((run) => drawRun(run, at));
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}">`,
    `<title>${toXml(lines.join('; '))} in a terminal</title>`,
    '<style>text { white-space: pre }</style>',
    `<rect width="${width}" height="${height}" rx="8" fill="#1c2128"/>`,
    ...buttons,
    '<g font-family="ui-monospace, Menlo, Consolas, monospace" font-size="13" fill="#adbac7">',
    ...texts,
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

/** The text length is fixed, so that columns align in every font. */
function drawRun({ text, column, style }: Run, line: number): string {
  const x = margin + column * cell.width;
  const y = margin + bar + line * cell.height + 6;
  const length = [...text].length * cell.width;
  return `<text x="${x}" y="${y}" textLength="${length}" lengthAdjust="spacingAndGlyphs"${style}>${toXml(text)}</text>`;
}

/** Splits a line into runs of one style. Also returns the style at the end of the line. */
function readLine(line: string, before: string): { readonly runs: readonly Run[]; readonly style: string } {
  let style = before;
  let column = 0;
  const runs: Run[] = [];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it matches escape sequences.
  for (const part of line.split(/(\x1b\[[\d;]*m)/)) {
    if (part.startsWith('\x1b')) {
      style = toStyle(part.slice(2, -1).split(';').map(Number), style);
    } else {
      runs.push({ text: part, column, style });
      column += [...part].length;
    }
  }
  return { runs, style };
}

/** SVG attributes for SGR codes; 0 and the empty sequence reset them. */
function toStyle(codes: readonly number[], before: string): string {
  return codes.reduce((style, code) => {
    if (code === 0) return '';
    if (code === 1) return `${style} font-weight="bold"`;
    if (code === 2) return `${style} opacity="0.6"`;
    if (code === 22) return style.replace(/ (font-weight|opacity)="[^"]*"/g, '');
    // Other codes, such as backgrounds, are ignored.
    if (code !== 39 && !(code in colors)) return style;
    const plain = style.replace(/ fill="[^"]*"/, '');
    return code === 39 ? plain : `${plain} fill="${colors[code]}"`;
  }, before);
}

function toXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
