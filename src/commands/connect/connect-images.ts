import { selectServices } from '../../config/services.ts';
import { loadMachineEnvironment } from '../access/guard.ts';
import { readSurroundings } from '../access/situation.ts';
import type { App } from '../command-line/command.ts';
import { connectUp } from './prepare-up.ts';

/** Everything that is asked about images, which are not of any cluster; only the engine has been asked for. */
export async function connectImages(app: App) {
  const environment = await loadMachineEnvironment(app);
  const surroundings = await readSurroundings(app, environment);
  const { engine, host, name: cluster } = surroundings;
  const socket = engine?.socket ?? '/var/run/docker.sock';
  const parts = await connectUp(app, { socket }, { environment, host, cluster });
  return { ...parts, environment, ...surroundings, selection: selectServices(environment, []) };
}

export type Connection = Awaited<ReturnType<typeof connectImages>>;
