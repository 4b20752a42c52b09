import type { App } from '../../cli/command.ts';
import type { Environment } from '../../config/schema.ts';
import { reach } from '../../tools/registry/reach.ts';

/** Milliseconds until a registry must have answered. */
const timeout = 3_000;

/** Whether the registry, as images name it, or the mirror in its place, answers at all. Which images it has is asked when one is pulled. */
export async function canPull(
  registry: string,
  environment: Pick<Environment, 'registry'>,
  { signal }: Pick<App, 'signal'>,
): Promise<boolean> {
  const { pull, mirror } = environment.registry;
  if (pull === 'never') return false;
  const host = mirror ?? (registry === 'docker.io' ? 'registry-1.docker.io' : registry);
  // As Docker has it: a registry on this machine needs no TLS.
  const scheme = /^(localhost|127\.)/.test(host) ? 'http' : 'https';
  return reach(`${scheme}://${host}/v2/`, { env: process.env, timeout: timeout, signal }).then(
    () => true,
    () => {
      signal.throwIfAborted();
      return false;
    },
  );
}
