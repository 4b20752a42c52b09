import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openStore } from '../../src/images/store/store.ts';
import { listFiles } from '../../src/lib/folder.ts';
import { listDescendants } from '../../src/lib/processes.ts';
import { exec } from '../../src/tools/exec.ts';
import type { Checkout } from '../../test/e2e/checkout.ts';
import { docker, kubectl, nodeOf } from '../../test/e2e/cluster.ts';
import { listProcessesOf } from '../../test/e2e/run-processes.ts';
import type { Running } from '../../test/e2e/running.ts';
import type { Values } from './sample-node.ts';

export interface SoakedMachine {
  readonly checkout: Checkout;
  readonly cacheHome: string;
  readonly temporary: string;
  /** Commands that run all the time. */
  readonly running: readonly Running[];
  /** The value of `runVariable` of every command. */
  readonly run: string;
}

/** Samples what the commands take and leave on this machine, and the API server. Needs /proc. */
export async function sampleMachine({
  checkout,
  cacheHome,
  temporary,
  running,
  run,
}: SoakedMachine): Promise<Values> {
  const state = join(checkout.root, '.wealist');
  const [ours, cache, files, objects] = await Promise.all([
    measureProcesses(running),
    openStore(join(cacheHome, 'wealist-local')).list(),
    listFiles(state),
    kubectl(checkout, 'get', kinds, '--all-namespaces', '--output=name'),
  ]);
  const isSavedLog = (path: string) => path.startsWith(join(state, 'logs'));
  return {
    ourMemory: ours.memory,
    ourFiles: ours.files,
    ourProcesses: (await listProcessesOf(run)).length,
    temporaryFiles: (await readdir(temporary)).length,
    cachedImages: cache.images.length,
    cacheSize: sum([...cache.blobs, ...cache.files].map(({ bytes }) => bytes)),
    snapshots: (await readdir(join(checkout.data, 'snapshots'))).length,
    stateFiles: files.filter(({ path }) => !isSavedLog(path)).length,
    runs: sum(await sizesOf(files.filter(({ path }) => /\/runs\.ndjson[^/]*$/.test(path)))),
    savedLogs: sum(await sizesOf(files.filter(({ path }) => isSavedLog(path)))),
    objects: objects.stdout.split('\n').filter(Boolean).length,
    // Only root may read them.
    ...(process.getuid?.() === 0 ? { machineRules: await countRules(checkout) } : {}),
  };
}

const kinds = 'pods,replicasets,controllerrevisions,secrets,configmaps,services,endpointslices,jobs';

/** Memory and open files of these commands with what they have started. */
async function measureProcesses(running: readonly Running[]) {
  let memory = 0;
  let files = 0;
  for (const { pid } of running) {
    for (const each of [{ pid }, ...(await listDescendants(pid))]) {
      const status = await readFile(`/proc/${each.pid}/status`, 'utf8').catch(ended);
      memory += 1024 * Number(/^RssAnon:\s+(\d+)/m.exec(status)?.[1] ?? 0);
      files += (await readdir(`/proc/${each.pid}/fd`).catch(() => [])).length;
    }
  }
  return { memory, files };
}

const ended = () => '';

async function sizesOf(files: readonly { readonly path: string }[]): Promise<readonly number[]> {
  return Promise.all(files.map(async ({ path }) => (await stat(path)).size));
}

/** Rules that name a port of this cluster: those of other containers come and go. */
async function countRules({ name }: Checkout): Promise<number> {
  const format = '{{range .NetworkSettings.Ports}}{{range .}}{{println .HostPort}}{{end}}{{end}}';
  const ports = await docker('inspect', `--format=${format}`, nodeOf(name));
  const { stdout } = await exec('iptables-save', []);
  return stdout.split('\n').filter((line) => ports.includes(/ --dport (\d+) /.exec(line)?.[1] ?? '')).length;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
