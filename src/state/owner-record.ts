import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, isMissing, writeFileAtomically } from './atomic-file.ts';
import { toCheckoutIdFile } from './checkout-id.ts';
import type { Paths } from './paths.ts';

/** The checkout that owns a cluster, as recorded in the owner folder that the cluster mounts. */
export type OwnerRecord = Pick<Paths, 'checkout' | 'state'>;

/** Why an owner cannot use its cluster any more, to follow the name of its checkout. */
export type OwnerLoss = 'no longer exists' | 'has lost its ID';

/** Undefined where there is none, as in clusters of earlier versions, and for one that cannot be read. */
export async function findOwnerRecord(ownerFolder: string): Promise<OwnerRecord | undefined> {
  try {
    const { version, checkout, state } = JSON.parse(await readFile(toFile(ownerFolder), 'utf8'));
    const isRecord = version === 1 && [checkout, state].every((path) => typeof path === 'string');
    return isRecord ? { checkout, state } : undefined;
  } catch {
    // Without a record the owner counts as existing, so that nothing of it is taken over.
    return undefined;
  }
}

export async function writeOwnerRecord(ownerFolder: string, { checkout, state }: OwnerRecord): Promise<void> {
  await writeFileAtomically(toFile(ownerFolder), `${JSON.stringify({ version: 1, checkout, state })}\n`);
}

/** Undefined while the recorded checkout exists and has this ID, or when that cannot be read. */
export async function findOwnerLoss(id: string, owner: OwnerRecord): Promise<OwnerLoss | undefined> {
  try {
    await stat(owner.checkout);
  } catch (error) {
    return isAbsent(error) ? 'no longer exists' : undefined;
  }
  try {
    const found = await readFile(toCheckoutIdFile(owner), 'utf8');
    return found.trim() === id ? undefined : 'has lost its ID';
  } catch (error) {
    return isAbsent(error) ? 'has lost its ID' : undefined;
  }
}

function isAbsent(error: unknown): boolean {
  return isMissing(error) || codeOf(error) === 'ENOTDIR';
}

function toFile(ownerFolder: string): string {
  return join(ownerFolder, 'checkout');
}
