import { rm, stat } from 'node:fs/promises';
import type { Step } from '../plan/plan.ts';

/** The volumes of a cluster, and the secrets that open them, are erased. */
export function deleteData(folder: string): Step {
  return {
    title: 'erase the data',
    async isDone() {
      const found = await stat(folder).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
      });
      return found === undefined && 'nothing is there';
    },
    async apply() {
      await rm(folder, { recursive: true, force: true });
    },
  };
}
