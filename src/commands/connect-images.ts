import { selectServices } from '../config/services.ts';
import type { App } from './command.ts';
import { connectUp } from './prepare-up.ts';
import { readSituation } from './situation.ts';

/** Everything that is asked about images; nobody has been asked anything yet but which engine there is. */
export async function connectImages(app: App) {
  const environment = await app.environment();
  const situation = await readSituation(app, environment, undefined);
  const { engine, host, name: cluster } = situation;
  const socket = engine?.socket ?? '/var/run/docker.sock';
  const parts = await connectUp(app, { socket }, { environment, host, cluster });
  return { ...parts, environment, situation, selection: selectServices(environment, []) };
}

export type Connection = Awaited<ReturnType<typeof connectImages>>;
