import { openImages } from '../../src/images/open-images.ts';
import { packArchive } from '../../src/images/store/archive.ts';
import { getEngine } from '../../src/machine/engine.ts';
import { readHost } from '../../src/machine/host.ts';
import { findPaths } from '../../src/state/paths.ts';
import { createDockerCli } from '../../src/tools/docker/cli.ts';
import { createDocker } from '../../src/tools/docker/docker.ts';
import { exec } from '../../src/tools/exec.ts';
import type { Checkout } from './checkout.ts';

/** What a Dockerfile of a test is built upon. */
export function baseOf({ name }: Pick<Checkout, 'name'>): string {
  return `wealist.local/service-base:${name}`;
}

/** The base of the stand-ins, brought into the engine: an image that can be built upon where no registry is reached. */
export async function loadBase(checkout: Pick<Checkout, 'name'>): Promise<void> {
  const engine = createDocker(await getEngine(await readHost()), exec);
  const toolchain = { docker: engine, dockerCli: createDockerCli(exec, engine.env) };
  const images = await openImages({ paths: findPaths(), registry: { pull: 'never' }, toolchain, exec });
  const found = await images.chain.find('service-base');
  if (!found) throw new Error('up has not left its base in the store');
  const named = { reference: baseOf(checkout), image: found.image };
  await engine.loadImages(packArchive(images.store, [named]));
}
