import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { clusterNameLength, toNamePattern } from '../lib/name-pattern.ts';
import { readOrSetAside, writeFileAtomically } from './atomic-file.ts';
import { type EngineRecord, parseEngineRecord } from './engine-record.ts';
import type { Paths } from './paths.ts';

/** What was chosen when the cluster was created; unchanged until it is removed. */
export interface ClusterRecord {
  readonly name: string;
  /** On 127.0.0.1. */
  readonly httpPort: number;
  readonly httpsPort: number;
  /** The ingress controller that `auto` has chosen. */
  readonly controller: 'nginx' | 'traefik';
  /** The types of its worker nodes. */
  readonly nodes: readonly ('app' | 'db')[];
  /** What is deployed beside the platform. */
  readonly extras: readonly string[];
  /** Images that the extras run without, since they could not be pulled or built. */
  readonly lacking: readonly string[];
  /** The engine in which the cluster exists; undefined before it is created, and in records of earlier versions. */
  readonly engine?: EngineRecord | undefined;
}

/** The name is part of paths that are deleted. */
const namePattern = toNamePattern(clusterNameLength);

interface Stored extends ClusterRecord {
  readonly version: 1;
}

/** The record of this checkout's cluster; a damaged one, or one of a later version, is set aside as `.bad`. */
export async function findClusterRecord(paths: Pick<Paths, 'state'>): Promise<ClusterRecord | undefined> {
  return readOrSetAside(toClusterFile(paths), (text) => {
    const stored: Stored = JSON.parse(text);
    const { version, name, httpPort, httpsPort, controller } = stored;
    // A record of an earlier version has neither worker nodes nor extras.
    const { nodes = [], extras = [], lacking = [] }: Partial<Stored> = stored;
    const isRecord =
      version === 1 &&
      typeof name === 'string' &&
      namePattern.test(name) &&
      [httpPort, httpsPort].every(Number.isInteger);
    const areNames = [nodes, extras, lacking].every(isListOfNames);
    const areTypes = areNames && nodes.every((type) => type === 'app' || type === 'db');
    if (!isRecord || !areTypes || (controller !== 'nginx' && controller !== 'traefik')) {
      throw new Error('no record of a cluster');
    }
    const engine = parseEngineRecord(stored.engine);
    return { name, httpPort, httpsPort, controller, nodes, extras, lacking, ...(engine && { engine }) };
  });
}

export async function writeClusterRecord(
  paths: Pick<Paths, 'state'>,
  { name, httpPort, httpsPort, controller, nodes, extras, lacking, engine }: ClusterRecord,
): Promise<void> {
  const stored: Stored = {
    version: 1,
    name,
    httpPort,
    httpsPort,
    controller,
    nodes,
    extras,
    lacking,
    engine,
  };
  await writeFileAtomically(toClusterFile(paths), `${JSON.stringify(stored)}\n`);
}

export async function removeClusterRecord(paths: Pick<Paths, 'state'>): Promise<void> {
  await rm(toClusterFile(paths), { force: true });
}

function isListOfNames(value: unknown): boolean {
  return Array.isArray(value) && value.every((name) => typeof name === 'string');
}

/** The file with the record of this checkout's cluster. */
export function toClusterFile({ state }: Pick<Paths, 'state'>): string {
  return join(state, 'cluster.json');
}
