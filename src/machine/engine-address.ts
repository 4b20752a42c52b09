import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { hashContent } from '../lib/hash.ts';
import { defaultSocket } from '../tools/docker/engine-socket.ts';
import { EngineFailure } from './engine-failure.ts';
import type { Host } from './host.ts';

/** Address of a possible engine, and where it is configured. */
export interface EngineAddress {
  /** `unix:///var/run/docker.sock`, `ssh://user@host`. */
  readonly url: string;
  /** `DOCKER_HOST`, `docker context colima`, `default socket`. */
  readonly source: string;
  /** Name of the docker context that it comes from. */
  readonly context?: string;
  /** The command that restores this machine's default engine, where another was chosen. */
  readonly undo?: string;
}

const DockerConfig = z.object({ currentContext: z.string().optional() });
const ContextMeta = z.object({ Endpoints: z.object({ docker: z.object({ Host: z.string() }) }) });

/**
 * The addresses to try, in order, by the docker client's own rules: DOCKER_HOST, else the context that DOCKER_CONTEXT
 * or `docker context use` names, else the default socket, and then the sockets of rootless engines and Docker Desktop.
 * @throws {EngineFailure} when a context is named that does not exist.
 */
export async function listEngineAddresses({ env, home, root }: Host): Promise<readonly EngineAddress[]> {
  if (env.DOCKER_HOST) {
    return [{ url: toUrl(env.DOCKER_HOST), source: 'DOCKER_HOST', undo: 'unset DOCKER_HOST' }];
  }

  const folder = env.DOCKER_CONFIG || join(home, '.docker');
  const config = DockerConfig.safeParse(await readJson(join(folder, 'config.json')));
  const context = env.DOCKER_CONTEXT || config.data?.currentContext;
  if (context && context !== 'default') {
    const undo = env.DOCKER_CONTEXT ? 'unset DOCKER_CONTEXT' : 'docker context use default';
    // Read here rather than with `docker context inspect`, so that the engine is found where the client is missing.
    const id = hashContent(context);
    const meta = ContextMeta.safeParse(await readJson(join(folder, 'contexts/meta', id, 'meta.json')));
    if (!meta.success) {
      throw new EngineFailure('context', `docker context ${context} does not exist`, {
        cause: `${env.DOCKER_CONTEXT ? 'DOCKER_CONTEXT' : join(folder, 'config.json')} names it`,
        hint: undo,
      });
    }
    return [{ url: meta.data.Endpoints.docker.Host, source: `docker context ${context}`, context, undo }];
  }

  const ofUser = [
    ...(env.XDG_RUNTIME_DIR ? [join(env.XDG_RUNTIME_DIR, 'docker.sock')] : []),
    join(folder, 'run/docker.sock'),
    join(folder, 'desktop/docker.sock'),
  ];
  return [
    { url: `unix://${join(root, defaultSocket)}`, source: 'default socket' },
    ...ofUser.map((socket) => ({ url: `unix://${socket}`, source: 'socket of this user' })),
  ];
}

/** DOCKER_HOST may leave out the scheme, and then means TCP. */
function toUrl(host: string): string {
  return host.includes('://') ? host : `tcp://${host}`;
}

/** Undefined where the file is missing or not JSON: the docker client ignores it as well. */
async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
}
