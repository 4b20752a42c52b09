import { countNodes, lowInotify } from '../inotify.ts';
import type { MakeCheck } from './check.ts';

/** The kernel counts watches and their instances per user, over all containers. */
export const checkInotify: MakeCheck = async ({ engine, host, docker, demand, signal }) => {
  if (host.inotify === undefined || engine?.inVirtualMachine) return [];
  const { max_user_instances: instances, max_user_watches: watches } = host.inotify;
  const detail = `${instances} instances, ${watches} watches`;
  const low = Object.entries(lowInotify(host.inotify, await countNodes(docker, demand.workers, signal)));
  if (low.length === 0) return [{ id: 'inotify', title: 'inotify limits', state: 'ok', detail }];
  const settings = low.map(([limit, value]) => `fs.inotify.${limit}=${value}`).join(' ');
  const sudo = host.isRoot ? '' : 'sudo ';
  return [
    {
      id: 'inotify',
      title: 'inotify limits',
      state: 'warn',
      detail: `${detail}: programs may stop with "too many open files"`,
      fix: `${sudo}sysctl -w ${settings}`,
    },
  ];
};
