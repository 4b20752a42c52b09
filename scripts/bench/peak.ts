import { readFile } from 'node:fs/promises';

/** Resource usage of a process, from /proc. */
export interface PeakUsage {
  /** Peak memory. */
  megabytes: number;
  /** User and system CPU time. */
  cpuSeconds: number;
}

/** Reads the usage regularly until `stop`, because it is not available after the process has ended. */
export function measurePeak(pid: number | undefined): { readonly peak: PeakUsage; stop(): void } {
  const peak: PeakUsage = { megabytes: 0, cpuSeconds: 0 };
  const watch = setInterval(async () => {
    const status = await readProcess(pid, 'status');
    // CPU times are in hundredths of a second.
    const times = (await readProcess(pid, 'stat')).split(') ')[1]?.split(' ') ?? [];
    peak.cpuSeconds = Math.max(peak.cpuSeconds, (Number(times[11] ?? 0) + Number(times[12] ?? 0)) / 100);
    const megabytes = Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
    peak.megabytes = Math.max(peak.megabytes, megabytes);
  }, 20);
  return { peak, stop: () => clearInterval(watch) };
}

/** Empty after the process has ended. */
async function readProcess(pid: number | undefined, file: string): Promise<string> {
  return readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
}
