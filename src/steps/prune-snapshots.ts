import type { Step } from '../plan/plan.ts';
import { pruneAutomatic } from '../state/database-snapshots.ts';

/** Of the automatic snapshots only the newest three stay, and those that the plan has used. */
export function pruneSnapshots(folder: string, used: readonly string[]): Step {
  return {
    title: 'remove old automatic snapshots',
    apply: () => pruneAutomatic(folder, used),
  };
}
