import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readOrSetAside, writeFileAtomically } from './atomic-file.ts';
import type { Paths } from './paths.ts';

/** What was chosen when the cluster was made, and stays so until it is removed. */
export interface ClusterRecord {
  readonly name: string;
  /** On 127.0.0.1. */
  readonly httpPort: number;
  readonly httpsPort: number;
  /** The ingress controller that `auto` came to. */
  readonly controller: 'nginx' | 'traefik';
}

interface Stored extends ClusterRecord {
  readonly version: 1;
}

/** The record of this checkout's cluster; a damaged one, or one of a later version, is set aside as `.bad`. */
export async function findClusterRecord(paths: Pick<Paths, 'state'>): Promise<ClusterRecord | undefined> {
  return readOrSetAside(toFile(paths), (text) => {
    const { version, name, httpPort, httpsPort, controller }: Stored = JSON.parse(text);
    const isRecord =
      version === 1 && typeof name === 'string' && [httpPort, httpsPort].every(Number.isInteger);
    if (!isRecord || (controller !== 'nginx' && controller !== 'traefik')) {
      throw new Error('no record of a cluster');
    }
    return { name, httpPort, httpsPort, controller };
  });
}

export async function writeClusterRecord(
  paths: Pick<Paths, 'state'>,
  { name, httpPort, httpsPort, controller }: ClusterRecord,
): Promise<void> {
  const stored: Stored = { version: 1, name, httpPort, httpsPort, controller };
  await writeFileAtomically(toFile(paths), `${JSON.stringify(stored)}\n`);
}

export async function removeClusterRecord(paths: Pick<Paths, 'state'>): Promise<void> {
  await rm(toFile(paths), { force: true });
}

function toFile({ state }: Pick<Paths, 'state'>): string {
  return join(state, 'cluster.json');
}
