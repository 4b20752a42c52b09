import { openImages } from '../../src/images/open-images.ts';
import { packArchive } from '../../src/images/store/archive.ts';
import { getEngine } from '../../src/machine/engine.ts';
import { readHost } from '../../src/machine/host.ts';
import { findPaths } from '../../src/state/paths.ts';
import { createDockerCli } from '../../src/tools/docker/cli.ts';
import { createDocker } from '../../src/tools/docker/docker.ts';
import { exec } from '../../src/tools/exec.ts';
import type { Checkout } from './checkout.ts';

/** The base image of the tests' Dockerfiles. */
export function baseOf({ name }: Pick<Checkout, 'name'>): string {
  return `wealist.local/service-base:${name}`;
}

/** Loads the stand-ins' base image into the engine, so that Dockerfiles can be built without a registry. */
export async function loadBase(checkout: Pick<Checkout, 'name'>): Promise<void> {
  const { arch: architecture, ...address } = await getEngine(await readHost());
  const engine = createDocker(address, exec);
  const toolchain = { docker: engine, dockerCli: createDockerCli(exec, engine) };
  const registry = { pull: 'never' } as const;
  const images = await openImages({ paths: findPaths(), registry, toolchain, exec, architecture });
  const found = await images.chain.find('service-base');
  if (!found) throw new Error('service-base is not in the store');
  const named = { reference: baseOf(checkout), image: found.image };
  await engine.loadImages(packArchive(images.store, [named]));
}
