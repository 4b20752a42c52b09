import { buildInfo } from './build-info.ts';
import type { Dependencies } from './dependency.ts';
import { describeError } from './describe-error.ts';
import { createLog } from './log.ts';
import { openProgram, replaceRunning } from './program.ts';
import type { ServiceDefinition } from './service.ts';
import { start } from './start.ts';

/**
 * Runs a service as this process until SIGTERM or SIGINT; a second signal ends it immediately. In a process that
 * already runs an earlier version, replaces that version.
 */
export function run<D extends Dependencies>(definition: ServiceDefinition<D>): void {
  if (replaceRunning(definition)) return;
  const log = createLog(buildInfo.name ?? definition.name, 'info');

  // After an unexpected error the state is unknown: log the reason and exit.
  process.on('uncaughtException', (error) => {
    log.error(describeError(error), { stack: error.stack });
    process.exit(1);
  });

  // Only a bundle is a single file that can be replaced.
  const program = buildInfo.name === undefined ? undefined : openProgram(process.argv[1] ?? '');
  const running = start(definition, { env: process.env, routes: program ? [program.route] : [] });
  running
    .then(({ replace }) => program?.replaceOnChange(replace))
    .catch((error: unknown) => {
      log.error(describeError(error));
      process.exit(1);
    });

  let signals = 0;
  async function end(): Promise<void> {
    signals += 1;
    if (signals > 1) process.exit(1);
    await (await running).stop();
    process.exit(0);
  }
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
}
