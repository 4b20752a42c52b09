import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CheckResult, MakeCheck } from './check.ts';

const title = 'rootless engine';
const delegate =
  "sudo mkdir -p /etc/systemd/system/user@.service.d; printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' | sudo tee /etc/systemd/system/user@.service.d/delegate.conf; sudo systemctl daemon-reload; then log out and in again";

/** What a rootless engine lacks for nodes, all of it; nothing for an engine that root runs. */
export const checkRootless: MakeCheck = async ({ engine, host }) => {
  if (!engine?.rootless) return [];
  const { cgroupVersion, missingControllers, kernel, inVirtualMachine } = engine;
  const results: CheckResult[] = [];
  const refuse = (detail: string, fix: string) => {
    results.push({ id: 'rootless', title, state: 'fail', detail, fix });
  };
  if (cgroupVersion === 1) {
    refuse('it needs cgroup v2', 'start Linux with systemd.unified_cgroup_hierarchy=1');
  }
  if (missingControllers.length > 0) {
    refuse(`the cgroup controllers ${missingControllers.join(', ')} are not delegated to it`, delegate);
  }
  if (!inVirtualMachine && (await lacksPacketFilter(host.root, kernel))) {
    refuse(
      'neither ip_tables nor nf_tables is loaded, and only root can load kernel modules',
      'sudo modprobe --all ip_tables iptable_nat ip6_tables ip6table_nat',
    );
  }
  if (results.length > 0) return results;
  return [{ id: 'rootless', title, state: 'ok', detail: 'cgroup v2, all controllers delegated' }];
};

/** False where the system does not tell. */
async function lacksPacketFilter(root: string, kernel: string): Promise<boolean> {
  const read = (path: string) => readFile(join(root, path), 'utf8').catch(() => undefined);
  const [loaded, builtIn] = await Promise.all([
    read('proc/modules'),
    read(join('lib/modules', kernel, 'modules.builtin')),
  ]);
  if (loaded === undefined || builtIn === undefined) return false;
  return !/^(ip_tables|nf_tables) /m.test(loaded) && !/\/(ip_tables|nf_tables)\.ko/.test(builtIn);
}
