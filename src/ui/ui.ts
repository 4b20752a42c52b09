import { createRedraw } from './redraw.ts';
import { type Colors, createColors } from './style.ts';
import { toTerminalText } from './terminal-text.ts';

export interface UiOptions {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** Prompts can be shown and answered. */
  readonly interactive: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  /** auto: colours on a terminal only. */
  readonly color: 'auto' | 'always' | 'never';
}

/** Output for the user: the result on stdout, everything else on stderr. */
export interface Ui {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly interactive: boolean;
  /** The output on which progress and prompts are drawn. */
  readonly stderr: NodeJS.WriteStream;
  /** Colours for what goes to stderr. */
  readonly colors: Colors;
  /** Colours for the result. */
  readonly resultColors: Colors;
  /** The result goes to a terminal. */
  readonly isTerminal: boolean;
  /** Prints a result of the command: `value` under `--json`, one line each, else `text`. */
  result(value: unknown, text: string): void;
  /**
   * Replaces the previous result: on a terminal it is drawn over it. Otherwise, and under `--json`, it is printed if
   * it differs.
   */
  redraw(value: unknown, text: string): void;
  /** Prints further whole lines of a result. Resolves when the output accepts more, or is closed. */
  stream(text: string): Promise<void>;
  /** Prints progress, in one or several lines; not under `--quiet`. */
  say(text: string): void;
  /** As `say`, but only under `--verbose`. */
  detail(text: string): void;
  /** Prints a warning, or why the run ended; always shown. */
  warn(text: string): void;
}

/** All text reaches the terminal here, except the drawn lines of a running plan (`progress-terminal.ts`). */
export function createUi({ stdout, stderr, interactive, json, quiet, verbose, color }: UiOptions): Ui {
  const isColorful = ({ isTTY }: NodeJS.WriteStream) =>
    color === 'always' || (color === 'auto' && isTTY === true);
  const colorful = { stdout: isColorful(stdout), stderr: isColorful(stderr) };
  const colors = createColors(colorful.stderr);

  function print(name: 'stdout' | 'stderr', text: string): void {
    const output = name === 'stdout' ? stdout : stderr;
    const line = toTerminalText(text, { colors: colorful[name] });
    output.write(line.endsWith('\n') ? line : `${line}\n`);
  }

  /** Waits until stdout has written its buffer, or is closed. */
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
    isTerminal: stdout.isTTY === true,
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
