import { randomUUID } from 'node:crypto';
import type { Redis } from '../common/redis.ts';

/** Login sessions: one entry in Redis each, which expires by itself. */
export interface Sessions {
  /** Resolves to the ID of a new session. */
  open(user: string): Promise<string>;
  /** The user of an open session. */
  find(id: string): Promise<string | undefined>;
  /** Resolves to whether the session was open. */
  close(id: string): Promise<boolean>;
  count(): Promise<number>;
}

const prefix = 'auth:session:';

/** @param lifetime milliseconds */
export function sessions(redis: Redis, lifetime: number): Sessions {
  return {
    async open(user) {
      const id = randomUUID();
      await redis.use((client) =>
        client.set(prefix + id, user, { expiration: { type: 'PX', value: lifetime } }),
      );
      return id;
    },
    async find(id) {
      return (await redis.use((client) => client.get(prefix + id))) ?? undefined;
    },
    async close(id) {
      return (await redis.use((client) => client.del(prefix + id))) === 1;
    },
    async count() {
      return await redis.use(async (client) => {
        let found = 0;
        for await (const keys of client.scanIterator({ MATCH: `${prefix}*`, COUNT: 1_000 }))
          found += keys.length;
        return found;
      });
    },
  };
}
