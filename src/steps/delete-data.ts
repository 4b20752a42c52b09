import { rm, stat } from 'node:fs/promises';
import type { Step } from '../plan/plan.ts';

/** The data of a cluster's volumes, and the secrets for it, are deleted. */
export function deleteData(folder: string): Step {
  return {
    title: 'delete the data',
    async isDone() {
      const found = await stat(folder).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
      });
      return found === undefined && 'no data exists';
    },
    async apply() {
      await rm(folder, { recursive: true, force: true });
    },
  };
}
