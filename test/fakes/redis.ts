import type { Redis } from '../../services/common/redis.ts';

/** Redis's channels without Redis: what is published reaches who listens, at once. */
export function fakeRedis(): Redis {
  const listeners = new Map<string, Set<(message: string) => void>>();
  return {
    name: 'redis',
    kind: 'store',
    use: () => Promise.reject(new Error('the fake has no commands')),
    async publish(channel, message) {
      for (const listener of listeners.get(channel) ?? []) listener(message);
    },
    subscribe(channel, listener) {
      const known = listeners.get(channel) ?? new Set();
      listeners.set(channel, known.add(listener));
      return () => known.delete(listener);
    },
    async probe() {},
    async close() {},
  };
}
