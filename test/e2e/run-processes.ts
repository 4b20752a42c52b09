import { readdir, readFile } from 'node:fs/promises';

/** Environment variable by which the processes of one run are recognised, whatever their parent or group is. */
export const runVariable = 'WEALIST_RUN_ID';

/** Command lines of the processes that a run has started and that still exist. Needs /proc. */
export async function listProcessesOf(run: string): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readProcess(pid, 'environ');
      if (!environment.split('\0').includes(`${runVariable}=${run}`)) return [];
      return [`${pid} ${(await readProcess(pid, 'cmdline')).replaceAll('\0', ' ')}`];
    }),
  );
  return found.flat();
}

/** Empty for a process that has ended meanwhile, or is a zombie. */
async function readProcess(pid: string, file: 'environ' | 'cmdline'): Promise<string> {
  return readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
}
