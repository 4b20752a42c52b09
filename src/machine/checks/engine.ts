import { readFile } from 'node:fs/promises';
import { settingsFileOf } from '../changes/engine-settings.ts';
import type { CheckContext, CheckResult, MakeCheck } from './check.ts';

const id = 'engine';
const title = 'container engine';
const oldest = '20.10';

/** The version of the engine, and settings with which no node starts. */
export const checkEngine: MakeCheck = async ({ engine, host }) => {
  if (engine === undefined) {
    return [{ id, title, state: 'fail', detail: 'not running', fix: 'npm run doctor -- --fix' }];
  }
  const { version, source, rootless, storageDriver } = engine;
  const detail = `Docker ${version}${rootless ? ', rootless' : ''}, ${source}`;
  const settings = settingsFileOf(engine, host);
  const problems: CheckResult[] = [];
  const add = (state: 'warn' | 'fail', problem: string, fix: string) =>
    problems.push({ id, title, state, detail: `${detail}: ${problem}`, fix });

  if (isOlder(version, oldest)) add('fail', `older than ${oldest}`, 'install a newer Docker Engine');
  if (storageDriver === 'vfs') {
    add(
      'warn',
      'storage driver vfs copies every layer in full',
      `set "storage-driver": "overlay2" in ${settings}`,
    );
  }
  if (!engine.inVirtualMachine && (await startsInit(settings))) {
    add('fail', '"init": true prevents systemd in the node from starting', `remove "init" from ${settings}`);
  }
  return problems.length > 0 ? problems : [{ id, title, state: 'ok', detail }];
};

/** The kubelet from 1.35 on does not start on cgroup v1; kind only warns about it. */
export const checkCgroup: MakeCheck = ({ engine, demand }: CheckContext) => {
  if (engine === undefined) return [];
  const isRefused = engine.cgroupVersion === 1 && minorOf(demand.kubernetes) >= 35;
  const detail = `cgroup v${engine.cgroupVersion}, Kubernetes ${demand.kubernetes}`;
  return [
    isRefused
      ? {
          id: 'cgroup',
          title: 'control groups',
          state: 'fail',
          detail: `${detail}: its kubelet requires v2`,
          fix: 'pin Kubernetes 1.34, or start Linux with systemd.unified_cgroup_hierarchy=1',
        }
      : { id: 'cgroup', title: 'control groups', state: 'ok', detail },
  ];
};

/** The oldest kernel that Kubernetes supports; on an older one nodes start, and then parts of their network fail. */
const oldestKernel = '4.19';

export const checkKernel: MakeCheck = ({ engine }) => {
  if (engine === undefined || engine.kernel === '') return [];
  const check = { id: 'kernel', title: 'kernel', detail: engine.kernel };
  if (!isOlder(engine.kernel, oldestKernel)) return [{ ...check, state: 'ok' }];
  const detail = `${engine.kernel} is older than ${oldestKernel}, the oldest that Kubernetes supports`;
  return [{ ...check, state: 'warn', detail, fix: 'install a newer kernel' }];
};

/** With an MTU above the host's, large packets are lost, and connections seem to hang. */
export const checkMtu: MakeCheck = ({ engine, host }) => {
  if (engine === undefined || engine.inVirtualMachine || host.mtu === undefined) return [];
  const mtu = engine.mtu ?? 1500;
  const detail = `engine ${mtu}, default route ${host.mtu}`;
  if (mtu <= host.mtu) return [{ id: 'mtu', title: 'network MTU', state: 'ok', detail }];
  const fix = `set "mtu": ${host.mtu} in ${settingsFileOf(engine, host)} and restart the engine`;
  return [
    { id: 'mtu', title: 'network MTU', state: 'warn', detail: `${detail}: large packets are lost`, fix },
  ];
};

/** With an engine's clock that is ahead, a new cluster's certificates are not valid yet on this machine. */
export const checkClock: MakeCheck = ({ engine }) => {
  if (engine?.clockSkew === undefined) return [];
  const seconds = Math.round(Math.abs(engine.clockSkew) / 1000);
  if (seconds <= 30) {
    return [
      { id: 'clock', title: 'clock', state: 'ok', detail: 'the clocks of the engine and this machine match' },
    ];
  }
  const detail = `the engine's clock is ${seconds} s ${engine.clockSkew > 0 ? 'ahead of' : 'behind'} this machine's`;
  const fix = 'restart the virtual machine of the container engine';
  return [{ id: 'clock', title: 'clock', state: 'warn', detail, fix }];
};

function minorOf(version: string): number {
  return Number(version.split('.')[1]);
}

function isOlder(version: string, limit: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = limit.split('.').map(Number);
  return major < oldestMajor || (major === oldestMajor && minor < oldestMinor);
}

async function startsInit(file: string): Promise<boolean> {
  try {
    return (JSON.parse(await readFile(file, 'utf8')) as { readonly init?: unknown }).init === true;
  } catch {
    // Missing or unreadable: the engine is running with them, so they are valid.
    return false;
  }
}
