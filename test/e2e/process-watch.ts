import { readdir, readFile, readlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Canary } from './canary.ts';

/** Where a secret was seen. */
export interface Sighting {
  readonly secret: string;
  readonly where: 'arguments' | 'environment';
  readonly program: string;
}

/**
 * Reads the arguments of every new process of this machine, those in containers included, and the environment of those
 * outside of containers, until `stop`. Needs /proc, and root for processes of others.
 */
export function watchProcesses(canary: Canary) {
  /** How often each process was read: its arguments change when it starts another program. */
  const reads = new Map<string, number>();
  const sightings = new Map<string, Sighting>();
  let seen = 0;
  let isStopped = false;

  async function look(pid: string, ownMounts: string): Promise<void> {
    const stat = await read(pid, 'stat');
    const key = `${pid} ${stat.slice(stat.lastIndexOf(')')).split(' ')[20]}`;
    const count = reads.get(key) ?? 0;
    if (stat === '' || count >= 10) return;
    reads.set(key, count + 1);
    if (count === 0) seen += 1;
    const words = await read(pid, 'cmdline');
    note(words, words, 'arguments');
    const mounts = await readlink(`/proc/${pid}/ns/mnt`).catch(() => '');
    // The programs of a container get its secrets by their environment.
    if (mounts === ownMounts) note(words, await read(pid, 'environ'), 'environment');
  }

  function note(words: string, text: string, where: Sighting['where']): void {
    const secret = canary.findIn(text);
    // Not the arguments themselves: a failing test would print the secret.
    const program = words.split('\0')[0] ?? '';
    if (secret !== undefined) sightings.set(`${secret} ${where} ${program}`, { secret, where, program });
  }

  const finished = (async () => {
    const ownMounts = await readlink('/proc/self/ns/mnt');
    while (!isStopped) {
      const pids = (await readdir('/proc')).filter(
        (name) => /^\d+$/.test(name) && Number(name) !== process.pid,
      );
      await Promise.all(pids.map((pid) => look(pid, ownMounts)));
      await sleep(15);
    }
  })();

  return {
    /** Those so far. */
    sightings: (): readonly Sighting[] => [...sightings.values()],
    /** Resolves to all sightings, and to how many processes were read. */
    async stop() {
      isStopped = true;
      await finished;
      return { sightings: [...sightings.values()], seen };
    },
  };
}

/** Empty for a process that has ended meanwhile. */
async function read(pid: string, file: string): Promise<string> {
  return readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
}
