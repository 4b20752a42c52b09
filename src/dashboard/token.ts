import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { join } from 'node:path';
import { readOrSetAside, writeFileAtomically } from '../state/atomic-file.ts';
import type { Paths } from '../state/paths.ts';

const bytes = 32;

/** The checkout's token of 256 bits, which opens its dashboard; created when there is none. Mode 0600. */
export async function ensureToken({ state }: Pick<Paths, 'state'>): Promise<string> {
  const file = join(state, 'dashboard-token');
  const known = await readOrSetAside(file, (text) => {
    const token = text.trim();
    if (Buffer.from(token, 'base64url').length !== bytes) throw new Error('no token');
    return token;
  });
  if (known !== undefined) return known;
  const token = randomBytes(bytes).toString('base64url');
  await writeFileAtomically(file, `${token}\n`);
  return token;
}

/** Compares in a time that does not depend on where the two differ. */
export function isToken(token: string, given: unknown): boolean {
  if (typeof given !== 'string') return false;
  const [one, other] = [token, given].map((text) => createHash('sha256').update(text).digest());
  return one !== undefined && other !== undefined && timingSafeEqual(one, other);
}
