import { exitCodes } from '../lib/failure.ts';
import { defineCommand } from './command.ts';
import { readStatus } from './read-status.ts';
import { StatusReport } from './status-report.ts';
import { describeStatus } from './status-text.ts';

export const command = defineCommand({
  summary: 'how the cluster, its services and their data stores are, and where they answer',
  options: {
    exitCode: { summary: 'exit code 11 when not all is ready' },
    schema: { summary: 'print the JSON Schema of what --json prints' },
  },
  examples: ['npm run status', 'npm run status -- --json', 'npm run status -- --exit-code'],
  onlyPrints: true,

  async run(app, { exitCode, schema }) {
    if (schema) {
      const { z } = await import('zod');
      const value = z.toJSONSchema(StatusReport);
      app.ui.result(value, JSON.stringify(value, undefined, 2));
      return exitCodes.ok;
    }
    const report = await readStatus(app);
    app.ui.result(report, describeStatus(report, app.ui.resultColors, Date.now()));
    return exitCode && !report.ready ? exitCodes.differences : exitCodes.ok;
  },
});
