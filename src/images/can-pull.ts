import type { Environment } from '../config/schema.ts';
import { reach } from '../tools/registry/reach.ts';

/** Milliseconds in which a registry must respond. */
const timeout = 3_000;

/** Whether the registry in an image's name, or the configured mirror, responds. What it has is found out by a pull. */
export async function canPull(
  registry: string,
  environment: Pick<Environment, 'registry'>,
  { signal }: { readonly signal: AbortSignal },
): Promise<boolean> {
  const { pull, mirror } = environment.registry;
  if (pull === 'never') return false;
  const host = mirror ?? (registry === 'docker.io' ? 'registry-1.docker.io' : registry);
  // As in Docker, a registry on this machine needs no TLS.
  const scheme = /^(localhost|127\.)/.test(host) ? 'http' : 'https';
  return reach(`${scheme}://${host}/v2/`, { env: process.env, timeout, signal }).then(
    () => true,
    () => {
      signal.throwIfAborted();
      return false;
    },
  );
}
