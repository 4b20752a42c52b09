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
  await writeFileAtomically(toFile(paths), `${id}\n`);
  return id;
}

/** The ID; undefined when none was created yet. */
export async function findCheckoutId(paths: Pick<Paths, 'state'>): Promise<string | undefined> {
  return readOrSetAside(toFile(paths), (text) => {
    const id = text.trim();
    if (!/^[0-9a-f]{16}$/.test(id)) throw new Error('no id of a checkout');
    return id;
  });
}

function toFile({ state }: Pick<Paths, 'state'>): string {
  return join(state, 'id');
}
