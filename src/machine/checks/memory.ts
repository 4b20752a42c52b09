import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toBytes } from '../../lib/bytes.ts';
import type { CheckContext, CheckResult, MakeCheck } from './check.ts';

/** What Kubernetes uses on a control-plane node: measured 0.9 GB and, by its pods' requests, 0.87 processors. */
const node = { cpus: 0.87, memory: 1e9 };
/** Estimated use of each worker node: kubelet, containerd, kube-proxy and the network's pod. */
const worker = { memory: 0.4e9 };

/** Requests of all pods and use of the nodes, compared with what the engine has: a pod that does not fit never starts. */
export const checkMemory: MakeCheck = async (context) => {
  const { engine, demand } = context;
  if (engine === undefined) return [];
  const { requests = { cpus: 0, memory: 0 }, workers = 0 } = demand;
  const kubernetes = node.memory + workers * worker.memory;
  return [
    await memory(context, engine.memory, { kubernetes, pods: requests.memory }),
    cpus(engine.cpus, workers + 1, requests.cpus + node.cpus),
  ];
};

async function memory(
  { host, engine }: CheckContext,
  size: number,
  { kubernetes, pods }: { readonly kubernetes: number; readonly pods: number },
): Promise<CheckResult> {
  const needed = kubernetes + pods;
  const id = 'memory';
  const title = 'memory';
  const where = engine?.inVirtualMachine ? "the container engine's virtual machine" : 'this machine';
  const parts = pods === 0 ? '' : `: ${toBytes(pods)} by the pods, ${toBytes(kubernetes)} by Kubernetes`;
  const detail = `${toBytes(size)}, at least ${toBytes(needed)} needed${parts}`;
  if (size < needed) {
    const fix = engine?.inVirtualMachine
      ? 'give the virtual machine of the container engine more memory'
      : 'start fewer services: npm run up auth-service';
    return { id, title, state: 'fail', detail: `${detail}; more than ${where} has`, fix };
  }
  const free = engine?.inVirtualMachine ? undefined : await readAvailable(host.root);
  if (free !== undefined && free < needed) {
    return {
      id,
      title,
      state: 'warn',
      detail: `${detail}; ${toBytes(free)} free now`,
      fix: 'ps aux --sort=-rss | head',
    };
  }
  return { id, title, state: 'ok', detail };
}

/** Each node reports all processors as its own, though they share them. */
function cpus(count: number, nodes: number, needed: number): CheckResult {
  const each = nodes === 1 ? '' : ` on each of ${nodes} nodes`;
  const detail = `${count}${each}, at least ${needed.toFixed(1)} needed`;
  if (count * nodes >= needed) return { id: 'cpu', title: 'processors', state: 'ok', detail };
  const fix = 'start fewer services: npm run up auth-service';
  return { id: 'cpu', title: 'processors', state: 'fail', detail, fix };
}

/** Bytes available without swapping; undefined where the system does not report it. */
async function readAvailable(root: string): Promise<number | undefined> {
  const text = await readFile(join(root, 'proc/meminfo'), 'utf8').catch(() => '');
  const kibibytes = /^MemAvailable:\s+(\d+) kB$/m.exec(text)?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}
