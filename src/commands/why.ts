import { defineCommand } from '../cli/command.ts';
import { environment as environmentOption } from '../cli/options.ts';
import { selectComponents } from '../config/services.ts';
import { exitCodes } from '../lib/failure.ts';
import { readWhy } from './why/read-why.ts';
import { describeWhy } from './why/why-text.ts';

export const command = defineCommand({
  summary: 'why something is not ready or does not answer: the causes, what shows them, and the next command',
  description:
    'Looks at nodes, pods, events, logs, volumes, Services, routes and policies, and names what is behind it all: a database that is down is one cause, whatever waits for it. Exit code 8 when there is a cause, 0 when all is as it should be or no cluster has been made yet.',
  arguments: {
    service: {
      value: 'service',
      summary: 'only what keeps this one from working; postgres, redis and s3 are some, too',
      complete: 'services',
    },
  },
  options: { env: environmentOption },
  examples: ['npm run why', 'npm run why board-service', 'npm run why -- --json'],
  onlyPrints: true,

  async run(app, { service, env }) {
    const environment = await app.environment({ name: env });
    if (service !== undefined) selectComponents(environment, [service]);
    const report = await readWhy(app, environment, service);
    app.ui.result(report, describeWhy(report, app.ui.resultColors));
    return report.causes.length === 0 ? exitCodes.ok : exitCodes.workload;
  },
});
