import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

export interface Process {
  readonly pid: number;
  readonly parent: number;
  /** Distinguishes this process from a later one with the same PID, also after a reboot. */
  readonly started: string;
  /** A signal has stopped it (SIGSTOP, Ctrl-Z). */
  readonly isStopped: boolean;
}

/** The process with this PID; undefined when it does not exist. */
export async function findProcess(pid: number): Promise<Process | undefined> {
  if (process.platform === 'linux') return readStat(pid);
  const [found] = await listWithPs(['-p', String(pid)]);
  return found;
}

/** All processes below `pid`, whatever process group they are in, without `pid` itself. */
export async function listDescendants(pid: number): Promise<readonly Process[]> {
  const all = await listProcesses();
  const below = (parent: number): Process[] =>
    all.filter((each) => each.parent === parent).flatMap((each) => [each, ...below(each.pid)]);
  return below(pid);
}

async function listProcesses(): Promise<readonly Process[]> {
  if (process.platform !== 'linux') return listWithPs(['-ax']);
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  return (await Promise.all(pids.map(readStat))).filter((each) => each !== undefined);
}

async function readStat(pid: number): Promise<Process | undefined> {
  // Unreadable means that it has ended: any user can read the file of a running process.
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The name, in parentheses, may itself hold spaces and parentheses.
  const [state, parent, ...rest] = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
  const started = rest[17];
  // A zombie has ended; its parent has not read its exit code yet.
  if (parent === undefined || started === undefined || state === 'Z') return undefined;
  return {
    pid,
    parent: Number(parent),
    started: `${await readBootId()}/${started}`,
    isStopped: state === 'T',
  };
}

/** Linux counts a process's start from the boot. */
async function readBootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
}

// Not through tools/exec.ts: the lock and the forced end need this below that floor, and macOS has no /proc.
async function listWithPs(args: readonly string[]): Promise<readonly Process[]> {
  const columns = ['-o', 'pid=', '-o', 'ppid=', '-o', 'state=', '-o', 'lstart='];
  // A start time in the local time zone would change with it.
  const env = { LC_ALL: 'C', TZ: 'UTC' };
  const { stdout } = await promisify(execFile)('ps', [...args, ...columns], { env }).catch(
    (error: { code?: unknown }) => {
      if (error.code === 1) return { stdout: '' };
      throw error;
    },
  );
  return stdout
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields.length > 3)
    .map(([pid, parent, state = '', ...started]) => ({
      pid: Number(pid),
      parent: Number(parent),
      started: started.join(' '),
      isStopped: state.startsWith('T'),
    }));
}
