import type { App } from '../../cli/command.ts';
import { selectServices } from '../../config/services.ts';
import { defaultSocket } from '../../tools/docker/engine-socket.ts';
import { loadMachineEnvironment } from './guard.ts';
import { connectUp } from './prepare-up.ts';
import { readSurroundings } from './situation.ts';

/** Everything that is asked about images, which are not of any cluster; only the engine has been asked for. */
export async function connectImages(app: App) {
  const environment = await loadMachineEnvironment(app);
  const surroundings = await readSurroundings(app, environment);
  const { engine, host, name: cluster } = surroundings;
  const socket = engine?.socket ?? defaultSocket;
  const deps = await connectUp(app, { socket }, { environment, host, cluster });
  return { ...deps, environment, ...surroundings, selection: selectServices(environment, []) };
}

export type Connection = Awaited<ReturnType<typeof connectImages>>;
