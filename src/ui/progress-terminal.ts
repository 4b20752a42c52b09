import {
  DefaultRenderer,
  ListrDefaultRendererLogLevels as Level,
  Listr,
  type ListrDefaultRendererOptions,
  ListrLogger,
  ProcessOutput,
} from 'listr2';
import { toDuration } from '../lib/duration.ts';
import type { Display, Outcome } from '../plan/display.ts';
import { symbols, withNote } from './style.ts';
import { toTerminalText } from './terminal-text.ts';
import type { Ui } from './ui.ts';

/** Milliseconds after which a running step shows for how long it has been running. */
const timeShownAfter = 2_000;

// listr2 checks whether stdout is a terminal. This renderer draws on stderr, which the caller has checked.
class StandardErrorRenderer extends DefaultRenderer {
  static override nonTTY = true;
}

/** Draws the steps of a stage on the terminal, each with its last line of progress and its time. */
export function showOnTerminal(ui: Ui): Display {
  const { colors } = ui;
  return async (stage, perform) => {
    const outcomes: Outcome[] = [];
    const tasks = stage.steps.map((step, index) => ({
      title: toTerminalText(step.title),
      async task(_: unknown, row: { title: string; output: string }) {
        const title = toTerminalText(step.title);
        const start = performance.now();
        const ticking = setInterval(() => {
          const elapsed = performance.now() - start;
          if (elapsed >= timeShownAfter) row.title = withNote(title, colors, toDuration(elapsed));
        }, 1_000);
        const report = (line: string) => {
          row.output = toTerminalText(line);
        };
        const outcome = await perform(step, { begin: () => {}, report }).finally(() =>
          clearInterval(ticking),
        );
        outcomes[index] = outcome;
        const { failedNeed } = outcome;
        const note = failedNeed === undefined ? toDuration(outcome.milliseconds) : `needs ${failedNeed}`;
        row.title = withNote(title, colors, note);
        if (failedNeed !== undefined) throw new Error(note);
        if (outcome.error !== undefined) throw outcome.error;
      },
    }));
    // With exitOnError listr2 would reject at the first failure while the other steps continue.
    await new Listr(tasks, {
      concurrent: true,
      exitOnError: false,
      registerSignalListeners: false,
      renderer: StandardErrorRenderer,
      rendererOptions: toRendererOptions(ui),
    }).run();
    return outcomes;
  };
}

function toRendererOptions({ colors, stderr }: Ui): ListrDefaultRendererOptions {
  return {
    // listr2 draws on its `stdout`, here stderr, and buffers what others write meanwhile, each for its own output.
    logger: new ListrLogger({
      processOutput: new ProcessOutput(stderr, process.stdout, { leaveEmptyLine: false }),
    }),
    collapseErrors: false,
    showErrorMessage: false,
    icon: {
      [Level.COMPLETED]: symbols.done,
      [Level.FAILED]: symbols.failed,
      [Level.OUTPUT]: symbols.pointer,
    },
    color: {
      [Level.COMPLETED]: colors.green,
      [Level.FAILED]: colors.red,
      [Level.PENDING]: colors.cyan,
      [Level.OUTPUT]: colors.dim,
    },
  };
}
