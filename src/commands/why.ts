import { defineCommand } from '../cli/command.ts';
import { environment as environmentOption } from '../cli/options.ts';
import { selectComponents } from '../config/services.ts';
import { exitCodes } from '../lib/failure.ts';
import { readWhy } from './context/why/read-why.ts';
import { describeWhy } from './why/why-text.ts';

export const command = defineCommand({
  description:
    'Inspects nodes, pods, events, logs, volumes, Services, routes and policies, and reports the root causes: a database that is down is one cause, however many services wait for it. Exits with code 8 if there is a cause, with 0 if everything is ready or no cluster has been created yet.',
  arguments: {
    service: {
      value: 'service',
      summary: 'only causes that affect this service; also accepted: postgres, redis, s3',
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
