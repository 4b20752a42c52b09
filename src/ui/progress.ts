import type { Display } from '../plan/display.ts';
import type { StepPreview } from '../plan/preview-plan.ts';
import type { PlanOptions } from '../plan/run-plan.ts';
import { showAsLines } from './progress-lines.ts';
import { toSymbolLine } from './style.ts';
import type { Ui } from './ui.ts';

/** Shows a running plan: drawn on a terminal, else printed as lines; skipped steps only under `--verbose`. */
export function showProgress(ui: Ui): Pick<PlanOptions, 'display' | 'onSkipped'> {
  return {
    display: async (stage, perform) => (await chooseDisplay(ui))(stage, perform),
    onSkipped: ({ title }, reason) => ui.detail(toSymbolLine('skipped', title, ui.colors, reason)),
  };
}

/** Loads listr2 only when it draws something, since most runs of `up` have nothing to do. */
async function chooseDisplay(ui: Ui): Promise<Display> {
  if (ui.stderr.isTTY && !ui.quiet && !ui.verbose) {
    return (await import('./progress-terminal.ts')).showOnTerminal(ui);
  }
  return showAsLines(ui);
}

/** Prints each previewed step below the title of its stage. */
export function showPreview(ui: Ui): (preview: StepPreview) => void {
  let heading: string | undefined;
  return (preview) => {
    if (preview.stage !== heading) ui.say(ui.colors.bold(preview.stage));
    heading = preview.stage;
    ui.say(toPreviewLine(preview, ui));
  };
}

function toPreviewLine({ step, skipped, unknown }: StepPreview, { colors }: Ui): string {
  if (skipped) return toSymbolLine('skipped', step, colors, skipped);
  return toSymbolLine('pointer', step, colors, unknown ? 'depends on earlier steps' : undefined);
}
