import Docker from 'dockerode';
import { docker as dockerCli } from '../../test/e2e/cluster.ts';

/** What a node has used since it started. */
export interface NodeUsage {
  /** On the monotonic clock, in milliseconds. */
  readonly at: number;
  /** CPU time of the whole container. */
  readonly cpuSeconds: number;
  /** Memory without files that the kernel can drop. */
  readonly megabytes: number;
  /** CPU time by name of the program, of the processes that run now. */
  readonly programs: ReadonlyMap<string, number>;
}

const engine = new Docker();

/** Reads what a node and each of its programs have used. */
export async function readUsage(node: string): Promise<NodeUsage> {
  const [stats, lines] = await Promise.all([
    engine.getContainer(node).stats({ stream: false, 'one-shot': true }),
    // A process that has ended meanwhile is left out.
    dockerCli('exec', node, 'sh', '-c', 'cat /proc/[0-9]*/stat 2>/dev/null; true'),
  ]);
  const { usage, stats: details } = stats.memory_stats;
  // The field's name differs between cgroup v1 and v2.
  const dropped = Number(details.total_inactive_file ?? details.inactive_file ?? 0);
  return {
    at: performance.now(),
    cpuSeconds: stats.cpu_stats.cpu_usage.total_usage / 1e9,
    megabytes: (usage - dropped) / 1024 ** 2,
    programs: sumByName(lines.flatMap(parseStat)),
  };
}

/** The name of a process and its own CPU seconds, of a line of /proc/<pid>/stat: times are in hundredths of a second. */
function parseStat(line: string): readonly (readonly [string, number])[] {
  const [, name, rest] = /^\d+ \((.*)\) (.*)$/.exec(line) ?? [];
  if (name === undefined || rest === undefined) return [];
  const fields = rest.split(' ');
  return [[name, (Number(fields[11]) + Number(fields[12])) / 100]];
}

function sumByName(all: readonly (readonly [string, number])[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const [name, seconds] of all) sums.set(name, (sums.get(name) ?? 0) + seconds);
  return sums;
}

/** Percent of one core between two readings, in all and by program; what ran only in between is `short-lived`. */
export function toShares(before: NodeUsage, after: NodeUsage) {
  const seconds = (after.at - before.at) / 1000;
  const toPercent = (used: number) => (100 * used) / seconds;
  const programs = new Map(
    [...after.programs].map(([name, used]) => [
      name,
      toPercent(Math.max(0, used - (before.programs.get(name) ?? 0))),
    ]),
  );
  const all = toPercent(after.cpuSeconds - before.cpuSeconds);
  const known = [...programs.values()].reduce((sum, each) => sum + each, 0);
  return { all, programs: programs.set('short-lived', Math.max(0, all - known)) };
}
