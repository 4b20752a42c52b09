import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findHome } from '../../lib/home-folder.ts';
import type { Exec } from '../exec.ts';

/** Name and password for one registry, in the shape the engine wants them. */
export interface RegistryLogin {
  readonly username: string;
  readonly password: string;
  readonly serveraddress: string;
  /** In place of the two, where the user logged in through a browser. */
  readonly identitytoken?: string;
}

interface DockerConfig {
  readonly auths?: Readonly<Record<string, { readonly auth?: string; readonly identitytoken?: string }>>;
  readonly credsStore?: string;
  readonly credHelpers?: Readonly<Record<string, string>>;
}

/**
 * What `docker login` stored for this registry: in the file, or with the credential helper the file names.
 * Undefined when no login is stored or it cannot be read: the registry then reports what it requires.
 */
export async function findRegistryLogin(
  registry: string,
  exec: Exec,
  env: NodeJS.ProcessEnv = process.env,
): Promise<RegistryLogin | undefined> {
  const folder = env.DOCKER_CONFIG || join(findHome(), '.docker');
  const config = await readFile(join(folder, 'config.json'), 'utf8')
    .then((text): DockerConfig => JSON.parse(text))
    .catch((): DockerConfig => ({}));
  // Docker Hub's entry still has the address of its first API.
  const key = registry === 'docker.io' ? 'https://index.docker.io/v1/' : registry;
  const helper = config.credHelpers?.[registry] ?? config.credsStore;
  return helper === undefined ? fromFile(config, key) : fromHelper(helper, key, exec);
}

function fromFile(config: DockerConfig, key: string): RegistryLogin | undefined {
  const entry = config.auths?.[key] ?? config.auths?.[`https://${key}`];
  if (entry?.auth === undefined) return undefined;
  const [username = '', ...password] = Buffer.from(entry.auth, 'base64').toString().split(':');
  return {
    username,
    password: password.join(':'),
    serveraddress: key,
    ...(entry.identitytoken === undefined ? {} : { identitytoken: entry.identitytoken }),
  };
}

/** The protocol of credential helpers: the address on stdin, JSON on stdout, exit code 1 when no login is stored. */
async function fromHelper(helper: string, key: string, exec: Exec): Promise<RegistryLogin | undefined> {
  try {
    const { stdout } = await exec(`docker-credential-${helper}`, ['get'], { input: key, timeout: 10_000 });
    const { Username, Secret } = JSON.parse(stdout) as { Username: string; Secret: string };
    const login = { username: Username, password: Secret, serveraddress: key };
    return Username === '<token>' ? { ...login, username: '', password: '', identitytoken: Secret } : login;
  } catch {
    return undefined;
  }
}
