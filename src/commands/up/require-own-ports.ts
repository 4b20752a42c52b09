import type { App } from '../../cli/command.ts';
import { exitCodes, Failure } from '../../lib/failure.ts';
import { findPortOwner } from '../../machine/port-owner.ts';
import { isPortFree } from '../../machine/ports.ts';
import { createDocker } from '../../tools/docker/docker.ts';
import type { Situation } from '../context/engine.ts';

/**
 * Refuses to start a stopped cluster whose ports another program has taken meanwhile: its containers cannot get others.
 * @throws {Failure} exit code 4 that names the program.
 */
export async function requireOwnPorts(
  { exec }: Pick<App, 'exec'>,
  { host, engine, found }: Pick<Situation, 'host' | 'engine' | 'found'>,
): Promise<void> {
  const [controlPlane] = found?.nodes ?? [];
  // A paused container still has its ports.
  if (!engine || !found || controlPlane?.state === 'running' || controlPlane?.state === 'paused') return;
  const docker = createDocker(engine, exec);
  const taken: string[] = [];
  for (const port of [found.httpPort, found.httpsPort]) {
    if (port === undefined || (await isPortFree(port))) continue;
    const owner = await findPortOwner(port, { host, docker, exec });
    taken.push(`port ${port} is in use by ${owner ?? "another user's process"}`);
  }
  if (taken.length === 0) return;
  throw new Failure(`cluster ${found.name} cannot be started: ${taken.join(', ')}`, {
    cause: 'the ports of a cluster are fixed when it is created',
    hint: 'end that program, then npm run up; or npm run down, then npm run up: other ports are used, and the data is preserved',
    exitCode: exitCodes.port,
  });
}
