import { createRedraw } from './redraw.ts';
import { type Colors, createColors } from './style.ts';
import { toTerminalText } from './terminal-text.ts';

export interface UiOptions {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** Somebody sees a question and can answer it. */
  readonly interactive: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  /** False forbids colours; otherwise a terminal has them. */
  readonly color: boolean;
}

/** What the person sees: the result on stdout, everything else on stderr. */
export interface Ui {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly interactive: boolean;
  /** Where progress is drawn. */
  readonly stderr: NodeJS.WriteStream;
  /** Colours for what goes to stderr. */
  readonly colors: Colors;
  /** Colours for the result. */
  readonly resultColors: Colors;
  /** What the command was asked for: `value` under `--json`, else `text`. Of several results, each is one line of JSON. */
  result(value: unknown, text: string): void;
  /**
   * A result in place of the one before: drawn over it on a terminal, else printed when it is another one. Under
   * `--json` each that is another one is a line.
   */
  redraw(value: unknown, text: string): void;
  /** Whole lines of a result that goes on; resolves when there is room for more, or nobody reads any longer. */
  stream(text: string): Promise<void>;
  /** One line, or several, of what goes on; not under `--quiet`. */
  say(text: string): void;
  /** As `say`, but only under `--verbose`. */
  detail(text: string): void;
  /** What the person should know although the run goes on, or why it ended; always shown. */
  warn(text: string): void;
}

/** The one place where text reaches the terminal, but for the drawn lines of a running plan (`progress-terminal.ts`). */
export function createUi({ stdout, stderr, interactive, json, quiet, verbose, color }: UiOptions): Ui {
  const colorful = { stdout: color && stdout.isTTY === true, stderr: color && stderr.isTTY === true };
  const colors = createColors(colorful.stderr);

  function print(name: 'stdout' | 'stderr', text: string): void {
    const output = name === 'stdout' ? stdout : stderr;
    const line = toTerminalText(text, { colors: colorful[name] });
    output.write(line.endsWith('\n') ? line : `${line}\n`);
  }

  /** The buffer of an output whose reader is slow has to empty itself first. */
  function waitForDrain(): Promise<void> {
    return new Promise((resolve) => {
      const events = ['drain', 'close', 'error'];
      const end = () => {
        for (const event of events) stdout.off(event, end);
        resolve();
      };
      for (const event of events) stdout.on(event, end);
    });
  }

  const show = (value: unknown, text: string) => print('stdout', json ? JSON.stringify(value) : text);
  const redraw = createRedraw(stdout, colorful.stdout);
  let last: string | undefined;

  return {
    json,
    quiet,
    verbose,
    interactive,
    stderr,
    colors,
    resultColors: createColors(colorful.stdout),
    result: show,
    redraw(value, text) {
      if (stdout.isTTY && !json) return redraw(text);
      const shown = JSON.stringify(value);
      if (shown !== last) show(value, text);
      last = shown;
    },
    async stream(text) {
      const hasRoom = stdout.write(toTerminalText(text, { colors: colorful.stdout }));
      if (!hasRoom && !stdout.destroyed) await waitForDrain();
    },
    say: (text) => {
      if (!quiet) print('stderr', text);
    },
    detail: (text) => {
      if (verbose && !quiet) print('stderr', colors.dim(text));
    },
    warn: (text) => print('stderr', text),
  };
}
