import { getService } from '../config/services.ts';
import { toDuration } from '../lib/duration.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { planReload } from '../plans/reload.ts';
import { defineCommand } from './command.ts';
import { requireWritable } from './guard.ts';
import { connectUp } from './prepare-up.ts';
import { readSituation } from './situation.ts';

export const command = defineCommand({
  summary: 'build, load and roll out services, and prove that the new code runs',
  arguments: {
    services: {
      value: 'service',
      summary: 'what was changed',
      required: true,
      many: true,
      complete: 'services',
    },
  },
  examples: ['npm run reload auth-service', 'npm run reload auth-service user-service'],

  async run(app, { services }) {
    const environment = requireWritable(app, await app.environment(), 'reload');
    for (const name of services) getService(environment, name);
    await app.exclusively(async () => {
      const { engine, found, host, name: cluster } = await readSituation(app, environment);
      if (!engine || found?.state !== 'running') {
        throw new Failure(`cluster ${cluster} ${found ? `is ${found.state}` : 'does not exist'}`, {
          hint: 'npm run up',
          exitCode: exitCodes.cluster,
        });
      }
      const parts = await connectUp(app, engine, { environment, host, cluster });
      const result = await app.runPlan(
        planReload(environment, parts, { cluster, services: [...new Set(services)] }),
      );
      const rolled = result.steps.filter(
        ({ stage, skipped }) => stage === 'Roll out' && skipped === undefined,
      );
      const phases = result.steps
        .filter(({ skipped }) => skipped === undefined)
        .map(({ step, milliseconds }) => `${step} ${toDuration(milliseconds)}`);
      app.ui.result(
        { changed: rolled.length > 0, ...result },
        rolled.length === 0
          ? `already running (${toDuration(result.milliseconds)})`
          : `new code runs after ${toDuration(result.milliseconds)}: ${phases.join(', ')}`,
      );
    });
  },
});
