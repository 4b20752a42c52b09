import type { Sessions } from '../../services/auth-service/sessions.ts';

/** Sessions in memory that do not expire. */
export function fakeSessions(): Sessions {
  const open = new Map<string, string>();
  let made = 0;
  return {
    async open(user) {
      made += 1;
      open.set(`session-${made}`, user);
      return `session-${made}`;
    },
    find: async (id) => open.get(id),
    close: async (id) => open.delete(id),
    count: async () => open.size,
  };
}
