import type { App } from '../../cli/command.ts';
import type { LocalEnvironment } from '../../config/schema.ts';
import type { Images } from '../../images/open-images.ts';
import type { UpDeps } from '../../plans/up-parts.ts';
import type { ClusterRecord } from '../../state/cluster-record.ts';
import { defaultSocket } from '../../tools/docker/engine-socket.ts';
import { chooseCluster } from './choose-cluster.ts';
import { chooseExtras, type WantedExtras } from './choose-extras.ts';
import { connectUp } from './prepare-up.ts';
import { readSituation, type Situation } from './situation.ts';

/** What there is, and the cluster that `up` makes of it. */
export interface Foreseen {
  readonly situation: Situation;
  readonly record: ClusterRecord;
  readonly deps: UpDeps & { readonly images: Images };
}

/** What `up` has to go by; changes nothing. @throws {Failure} exit code 9 when the cluster is another checkout's. */
export async function foreseeUp(
  app: Pick<App, 'paths' | 'exec' | 'signal' | 'ui'>,
  environment: LocalEnvironment,
  { name, extras }: { readonly name?: string | undefined; readonly extras: WantedExtras },
): Promise<Foreseen> {
  const situation = await readSituation(app, environment, name);
  const { engine, host } = situation;
  const chosen = await chooseCluster({ app, environment, ...situation });
  const cluster = chosen.name;
  const deps = await connectUp(app, engine ?? { socket: defaultSocket }, { environment, host, cluster });
  // What an earlier run chose for a cluster of another name says nothing of this one.
  const record = situation.record?.name === cluster ? situation.record : undefined;
  const choice = await chooseExtras({ app, environment, images: deps.images, record }, extras);
  return { situation, record: { ...chosen, ...choice }, deps };
}
