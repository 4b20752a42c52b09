import { z } from 'zod';

const part = '[a-z0-9]+(?:[._-]+[a-z0-9]+)*';
const host = '[a-zA-Z0-9](?:[-a-zA-Z0-9.]*[a-zA-Z0-9])?(?::[0-9]{1,5})?';
const tag = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}';
const pattern = new RegExp(`^(?:${host}/)?${part}(?:/${part})*(?::${tag})?(?:@sha256:[0-9a-f]{64})?$`);

const rule = 'an image with its tag, such as docker.io/library/postgres:17.5-alpine';

/** A pinned image: with a digest, or with a tag other than `latest`. */
export const imageReference = z
  .string(rule)
  .max(512, rule)
  .regex(pattern, rule)
  .refine(isPinned, 'a fixed tag or a digest: latest, or no tag, can change at any time');

function isPinned(reference: string): boolean {
  if (reference.includes('@')) return true;
  const tag = /:([^/:]+)$/.exec(reference)?.[1];
  return tag !== undefined && tag !== 'latest';
}
