import type { Exec } from '../../tools/exec.ts';
import type { Change } from './change.ts';
import type { Root } from './root.ts';

/** Adds this user to the group that may use the engine's socket; effective from the next login, or with `sg`. */
export function joinDockerGroup(root: Root, exec: Exec, user: string): Change {
  return {
    id: 'docker-group',
    title: `user ${user} in group docker`,
    why: 'only root and this group may use the container engine; its members have the rights of root',
    detail: root.show(`usermod -aG docker ${user}`),
    async isNeeded() {
      const { stdout } = await exec('id', ['-Gn', user]);
      return !stdout.trim().split(' ').includes('docker');
    },
    async apply({ signal }) {
      await root.run('usermod', ['-aG', 'docker', user], { signal });
    },
  };
}
