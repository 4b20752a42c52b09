import { defineCommand } from '../cli/command.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { findNearest } from '../lib/nearest.ts';
import { listRuns } from '../state/runs.ts';
import { countedRuns, toTimes } from './context/run-times.ts';
import { describeTimes } from './times/times-text.ts';

export const command = defineCommand({
  description: `Shows how long the last runs took: each step, and the phases of a reload, with the last time and the median of the times before. It counts the last ${countedRuns} runs of each command in this checkout, also those of \`reload --watch\`. A step is called slower when the last time exceeds that median by more than 0.2 s and by more than three times the median deviation of at least four earlier times.`,
  arguments: {
    command: { value: 'command', summary: 'only this command, such as up or reload (default: all)' },
  },
  examples: [
    'npm run wealist -- times',
    'npm run wealist -- times reload',
    'npm run wealist -- times up --json',
  ],
  onlyPrints: true,

  async run(app, { command: wanted }) {
    if (wanted !== undefined && !Object.hasOwn(app.commands, wanted))
      refuse(wanted, Object.keys(app.commands));
    const runs = await listRuns(app.paths);
    const commands = toTimes(runs.filter((run) => wanted === undefined || run.command === wanted));
    const text = describeTimes(commands, app.ui.resultColors, {
      now: Date.now(),
      isDrawn: app.ui.isTerminal,
      wanted,
    });
    app.ui.result({ version: 1, commands }, text);
  },
});

function refuse(name: string, known: readonly string[]): never {
  const nearest = findNearest(name, known);
  throw new Failure(`${JSON.stringify(name)} is not a command`, {
    hint: nearest === undefined ? 'npm run wealist -- times' : `npm run wealist -- times ${nearest}`,
    exitCode: exitCodes.usage,
  });
}
