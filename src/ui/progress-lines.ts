import { toDuration } from '../lib/duration.ts';
import type { Display, Outcome } from '../plan/display.ts';
import type { Ui } from './ui.ts';

/**
 * Prints a line with the time for each event, for files, pipes and CI. A step's progress is printed at most once per
 * `interval` milliseconds; under `--verbose`, all of it.
 */
export function showAsLines(ui: Ui, { interval = ui.verbose ? 0 : 5_000 } = {}): Display {
  const say = (text: string) => ui.say(`${new Date().toTimeString().slice(0, 8)} ${text}`);
  return (stage, perform) =>
    Promise.all(
      stage.steps.map(async (step) => {
        let next = 0;
        const outcome = await perform(step, {
          begin: () => say(`❯ ${step.title}`),
          report(line) {
            if (performance.now() < next) return;
            next = performance.now() + interval;
            say(`  ${step.title}: ${line}`);
          },
        });
        say(toEnd(outcome));
        return outcome;
      }),
    );
}

function toEnd({ step, error, failedNeed, milliseconds }: Outcome): string {
  if (failedNeed !== undefined) return `✗ ${step} (needs ${failedNeed})`;
  if (error !== undefined) return `✗ ${step} (${toDuration(milliseconds)})`;
  return `✔ ${step} (${toDuration(milliseconds)})`;
}
