import { defineCommand } from '../cli/command.ts';
import { environment as environmentOption } from '../cli/options.ts';
import { runDashboard } from './dashboard/run-dashboard.ts';

export const command = defineCommand({
  description:
    'Serves a page on 127.0.0.1 that shows the services with their freshness, the causes of what is not ready, logs, needs, runs and forwards as they change, and prints its address. The address holds a token, without which the page shows nothing. Reloads that are started there run as this command line would run them. Ends with Ctrl-C; what it has started ends with it.',
  options: {
    env: environmentOption,
    port: {
      value: 'port',
      summary: 'port on 127.0.0.1 (default: 4280, or the next free one)',
      parse: (text: string) => {
        const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
        return port >= 1 && port <= 65_535 ? port : undefined;
      },
      example: '4380',
    },
    open: { summary: 'open the page in the browser' },
  },
  examples: ['npm run dashboard', 'npm run dashboard -- --open', 'npm run dashboard -- --port 4380'],
  onlyPrints: true,

  async run(app, { env, port, open }) {
    await runDashboard(app, { env, port, open });
  },
});
