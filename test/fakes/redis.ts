import type { Redis } from '../../services/common/redis.ts';

/** Redis channels in memory: messages are delivered to the listeners immediately. */
export function fakeRedis(): Redis {
  const listeners = new Map<string, Set<(message: string) => void>>();
  return {
    name: 'redis',
    kind: 'store',
    use: () => Promise.reject(new Error('the fake supports no commands')),
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
