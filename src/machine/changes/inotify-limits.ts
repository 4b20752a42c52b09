import { type InotifyLimits, readInotify } from '../inotify.ts';
import type { Change } from './change.ts';
import type { Root } from './root.ts';

/** Raises the limits in `low` to its values, now and at each start of the machine. */
export function raiseInotify(root: Root, low: Partial<InotifyLimits>): Change {
  const file = root.path('/etc/sysctl.d/60-wealist-local.conf');
  const settings = Object.entries(low).map(([limit, value]) => `fs.inotify.${limit}=${value}`);
  return {
    id: 'inotify-limits',
    title: `inotify limits raised: ${settings.join(', ')}`,
    why: 'with too few, programs in the cluster stop with "too many open files"',
    detail: `${root.show(`sysctl -w ${settings.join(' ')}`)}; the same in ${file}`,
    async isNeeded() {
      const present = await readInotify(root.path('/'));
      return Object.entries(low).some(
        ([limit, value]) => present !== undefined && present[limit as keyof InotifyLimits] < value,
      );
    },
    async apply({ signal }) {
      await root.run('sysctl', ['-w', ...settings], { signal });
      await root.writeFile(file, `${settings.join('\n')}\n`, '0644');
    },
  };
}
