import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { listDescendants } from '../../src/lib/processes.ts';
import type { Running } from './running.ts';

/** Kills the next program of this name that the command starts, and nothing else. @throws {Error} when it starts none. */
export async function killProgram(running: Running, name: string): Promise<void> {
  let isEnded = false;
  void running.ended.then(() => {
    isEnded = true;
  });
  while (!isEnded) {
    for (const { pid } of await listDescendants(running.pid)) {
      const program = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
      if (program.trim() === name) {
        process.kill(pid, 'SIGKILL');
        return;
      }
    }
    await sleep(20);
  }
  throw new Error(`the command ended without starting ${name}`);
}
