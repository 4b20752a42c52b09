import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { readOrSetAside, writeFileAtomically } from './atomic-file.ts';
import type { Paths } from './paths.ts';

/**
 * The ID by which clusters of this checkout are recognised. Stored in the state folder and not derived from the path,
 * which changes when the checkout is moved.
 */
export async function ensureCheckoutId(paths: Pick<Paths, 'state'>): Promise<string> {
  const known = await findCheckoutId(paths);
  if (known !== undefined) return known;
  const id = randomBytes(8).toString('hex');
  await writeCheckoutId(paths, id);
  return id;
}

/** Replaces the checkout's ID, which makes it the owner of the clusters with that ID and of no others. */
export async function writeCheckoutId(paths: Pick<Paths, 'state'>, id: string): Promise<void> {
  await writeFileAtomically(toCheckoutIdFile(paths), `${id}\n`);
}

/** The ID; undefined when none was created yet. */
export async function findCheckoutId(paths: Pick<Paths, 'state'>): Promise<string | undefined> {
  return readOrSetAside(toCheckoutIdFile(paths), (text) => {
    const id = text.trim();
    if (!/^[0-9a-f]{16}$/.test(id)) throw new Error('no id of a checkout');
    return id;
  });
}

export function toCheckoutIdFile({ state }: Pick<Paths, 'state'>): string {
  return join(state, 'id');
}
