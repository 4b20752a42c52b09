import type { App } from '../../cli/command.ts';
import type { Environment } from '../../config/schema.ts';
import type { Selection } from '../../config/services.ts';
import { type Images, openImages } from '../../images/open-images.ts';
import type { Engine } from '../../machine/engine.ts';
import type { Host } from '../../machine/host.ts';
import { outsideImages } from '../../plans/up.ts';
import type { UpDeps } from '../../plans/up-deps.ts';
import type { ClusterRecord } from '../../state/cluster-record.ts';
import { createGit } from '../../tools/git.ts';
import { openServiceImages } from './service-images.ts';
import { openSession } from './session.ts';
import { toolSteps } from './tool-steps.ts';

/** Everything that the plan of `up` acts on, connected to one engine. Asks nobody anything. */
export async function connectUp(
  app: Pick<App, 'paths' | 'exec'>,
  engine: Pick<Engine, 'socket'>,
  { environment, host, cluster }: { environment: Environment; host: Host; cluster: string },
): Promise<UpDeps & { readonly images: Images }> {
  const { paths, exec } = app;
  const session = openSession(app, engine, cluster);
  const { toolchain } = session;
  const images = await openImages({ paths, registry: environment.registry, toolchain, exec });
  const serviceImages = openServiceImages({ app, host, environment, images, toolchain });
  const git = createGit(exec, paths.checkout);
  return { ...session, ...images, paths, images, serviceImages, git, tools: toolSteps(app, images) };
}

/** Whether an image that this selection needs is neither kept nor in the engine. */
export async function lacksImages(
  { chain }: Images,
  selection: Selection,
  cluster: ClusterRecord,
  engine: Engine | undefined,
): Promise<boolean> {
  if (!engine || !(await chain.findNode())) return true;
  const found = await Promise.all(outsideImages(selection, cluster).map((name) => chain.find(name)));
  return found.includes(undefined);
}
