import { readFile } from 'node:fs/promises';

/** What a process has used of this machine, as Linux says it. */
export interface Peak {
  /** The most memory that it had at once. */
  megabytes: number;
  /** In its own code and in the kernel. */
  cpuSeconds: number;
}

/** Looks at a process again and again until `stop`: once it has ended, nobody knows any more. */
export function watchPeak(pid: number | undefined): { readonly peak: Peak; stop(): void } {
  const peak: Peak = { megabytes: 0, cpuSeconds: 0 };
  const watch = setInterval(async () => {
    const status = await readProcess(pid, 'status');
    // In hundredths of a second.
    const times = (await readProcess(pid, 'stat')).split(') ')[1]?.split(' ') ?? [];
    peak.cpuSeconds = Math.max(peak.cpuSeconds, (Number(times[11] ?? 0) + Number(times[12] ?? 0)) / 100);
    const megabytes = Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
    peak.megabytes = Math.max(peak.megabytes, megabytes);
  }, 20);
  return { peak, stop: () => clearInterval(watch) };
}

/** Empty once the process has ended. */
async function readProcess(pid: number | undefined, file: string): Promise<string> {
  return readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
}
