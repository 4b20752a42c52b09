import { join } from 'node:path';
import { readOrSetAside, writeFileAtomically } from './atomic-file.ts';
import type { Paths } from './paths.ts';

/** The cluster of an environment, as the user has confirmed it. */
export interface Trust {
  /** The kube context that it is found by. */
  readonly context: string;
  readonly fingerprint: {
    readonly server: string;
    readonly ca: string;
    readonly uid: string | undefined;
    readonly login: readonly string[] | undefined;
  };
}

/** The trusted cluster of an environment; undefined when there is none. A damaged record is set aside, and trusts none. */
export async function findTrust(
  paths: Pick<Paths, 'state'>,
  environment: string,
): Promise<Trust | undefined> {
  return readOrSetAside(toFile(paths, environment), (text) => {
    const { version, context, fingerprint } = JSON.parse(text);
    const { server, ca, uid, login } = fingerprint;
    const isText = (value: unknown) => typeof value === 'string';
    const isTrust =
      version === 1 &&
      [context, server, ca].every(isText) &&
      (uid === undefined || isText(uid)) &&
      (login === undefined || (Array.isArray(login) && login.every(isText)));
    if (!isTrust) throw new Error('no record of trust');
    return { context, fingerprint: { server, ca, uid, login } };
  });
}

export async function writeTrust(
  paths: Pick<Paths, 'state'>,
  environment: string,
  trust: Trust,
): Promise<void> {
  await writeFileAtomically(
    toFile(paths, environment),
    `${JSON.stringify({ version: 1, ...trust }, undefined, 2)}\n`,
  );
}

/** Path of the private copy of the environment's kube context. */
export function toPrivateKubeconfig({ state }: Pick<Paths, 'state'>, environment: string): string {
  return join(state, 'remote', `${environment}.kubeconfig`);
}

function toFile({ state }: Pick<Paths, 'state'>, environment: string): string {
  return join(state, 'remote', `${environment}.json`);
}
