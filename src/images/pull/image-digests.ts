import { join } from 'node:path';
import { withDeadline } from '../../lib/deadline.ts';
import type { Digest } from '../../lib/oci.ts';
import { readOrSetAside, writeFileAtomically } from '../../state/atomic-file.ts';
import { acquireLock } from '../../state/lock.ts';
import type { Paths } from '../../state/paths.ts';

/**
 * The digest that each image had at its first pull. Tags can be moved; where the catalog names no digest, every later
 * pull is at least compared with the first one. Recorded by the name that was pulled, so a mirror has its own digests.
 */
export interface ImageDigests {
  find(name: string): Promise<Digest | undefined>;
  record(name: string, digest: Digest): Promise<void>;
}

/** The record in the data folder; an invalid file is set aside and counts as empty. */
export function openImageDigests({ data, cache }: Pick<Paths, 'data' | 'cache'>): ImageDigests {
  const path = join(data, 'image-digests.json');
  const read = async () => (await readOrSetAside(path, parse)) ?? {};
  return {
    async find(name) {
      return (await read())[name];
    },

    async record(name, digest) {
      const lock = await withDeadline({ timeout: 10_000 }, (signal) =>
        acquireLock(join(cache, 'locks', 'image-digests.lock'), {
          command: `record the digest of ${name}`,
          wait: { signal, interval: 20 },
        }),
      );
      try {
        const digests = { ...(await read()), [name]: digest };
        await writeFileAtomically(path, `${JSON.stringify(digests, undefined, 2)}\n`);
      } finally {
        await lock.release();
      }
    },
  };
}

function parse(text: string): Readonly<Record<string, Digest>> {
  const digests = JSON.parse(text);
  const isRecord = typeof digests === 'object' && digests !== null && !Array.isArray(digests);
  if (!isRecord || !Object.values(digests).every(isDigest)) throw new TypeError('not a record of digests');
  return digests;
}

function isDigest(value: unknown): value is Digest {
  return typeof value === 'string' && /^sha256:[0-9a-f]{64}$/.test(value);
}
