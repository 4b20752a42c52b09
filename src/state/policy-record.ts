import { join } from 'node:path';
import { readOrSetAside, writeFileAtomically } from './atomic-file.ts';
import type { Paths } from './paths.ts';

/** What a denied connection showed of the cluster's network. */
export interface PolicyRecord {
  /** UID of the control plane's node: another cluster is not meant. */
  readonly cluster: string;
  /** Which policies there were. */
  readonly policies: string;
  readonly enforced: boolean;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** The last one; a damaged one is set aside as `.bad`. */
export async function findPolicyRecord(paths: Pick<Paths, 'state'>): Promise<PolicyRecord | undefined> {
  return readOrSetAside(toFile(paths), (text) => {
    const { cluster, policies, enforced, at }: PolicyRecord = JSON.parse(text);
    const isRecord = typeof cluster === 'string' && typeof policies === 'string' && Number.isFinite(at);
    if (!isRecord || typeof enforced !== 'boolean') throw new Error('no record of a probe');
    return { cluster, policies, enforced, at };
  });
}

export async function writePolicyRecord(paths: Pick<Paths, 'state'>, record: PolicyRecord): Promise<void> {
  await writeFileAtomically(toFile(paths), `${JSON.stringify(record)}\n`);
}

function toFile({ state }: Pick<Paths, 'state'>): string {
  return join(state, 'network-policies.json');
}
