import { z } from 'zod';
import type { Request } from './protocol.ts';

const id = z.string().min(1).max(64);
const name = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/);
const names = z.array(name).max(200);

const Query = {
  components: names,
  tail: z.int().min(0).max(100_000).optional(),
  since: z.number().positive().optional(),
  previous: z.boolean().optional(),
};

/** Every message that a tab may send. Nothing of it reaches a command line but names. */
const Requests = z.union([
  z.strictObject({ type: z.literal('hello'), token: z.string().max(200) }),
  z.strictObject({ type: z.literal('resync') }),
  z.strictObject({
    type: z.literal('start'),
    id,
    action: z.enum(['reload', 'watch']),
    services: names.min(1),
  }),
  z.strictObject({ type: z.literal('start'), id, action: z.literal('up') }),
  z.strictObject({ type: z.literal('stop'), task: id }),
  z.strictObject({ type: z.literal('ask'), id, what: z.enum(['doctor', 'plan', 'why', 'usage']) }),
  z.strictObject({ type: z.literal('logs'), id, ...Query }),
  z.strictObject({ type: z.literal('credit'), id, lines: z.int().positive().max(1_000_000) }),
  z.strictObject({ type: z.literal('end-logs'), id }),
  z.strictObject({ type: z.literal('forward'), id, target: name, open: z.boolean() }),
]);

/** The message of a tab; undefined for anything else than the messages of `Request`. */
export function parseRequest(text: string): Request | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { success, data } = Requests.safeParse(value);
  return success ? (data as Request) : undefined;
}
