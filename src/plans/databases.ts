import type { Watch } from '../lib/watchdog.ts';
import type { Plan } from '../plan/plan.ts';
import { watchSteps } from '../plan/watch-steps.ts';
import { type DatabaseSnapshot, getSnapshot } from '../state/database-snapshots.ts';
import { pruneSnapshots } from '../steps/prune-snapshots.ts';
import {
  makeNewDatabases,
  restoreDatabase,
  type SwapState,
  swapDatabases,
} from '../steps/replace-databases.ts';
import { type RestartDeps, restartService } from '../steps/restart-service.ts';
import { type SaveOptions, saveDatabases } from '../steps/save-databases.ts';

export interface SaveDeps extends SaveOptions {
  /** Ends calls to the cluster that cannot end by themselves. */
  readonly watch: Watch;
}

export interface ReplaceDatabasesDeps extends RestartDeps, Omit<SaveDeps, 'name'> {
  /** Returns the script that creates the databases of all services. */
  readonly bootstrap: (signal: AbortSignal) => Promise<string>;
}

export interface ReplaceDatabasesChoice {
  /** The content to restore; without it the new databases are empty. */
  readonly snapshot?: DatabaseSnapshot | undefined;
  /** The databases that exist, and are saved first as snapshot `keptAs`. */
  readonly present: readonly string[];
  readonly keptAs: string;
  /** Deployments that use the databases, which are restarted. */
  readonly services: readonly string[];
  /** Called when it changes which databases exist. */
  readonly onSwap: (state: SwapState) => void;
}

/** Saves databases as a snapshot. */
export function planSave({ watch, ...options }: SaveDeps): Plan {
  return watchSteps([{ title: 'Save', steps: [saveDatabases(options)] }], watch);
}

/**
 * Replaces databases: new ones are created and filled, and then replace the current ones at once. Until then a failure
 * leaves the current ones unchanged; their content is saved as a snapshot first. Older automatic snapshots are removed
 * last, when nothing can need them any more.
 */
export function planReplace(deps: ReplaceDatabasesDeps, choice: ReplaceDatabasesChoice): Plan {
  const { postgres, databases, bootstrap, folder, watch } = deps;
  const { snapshot, present, keptAs, services, onSwap } = choice;
  const save = present.length === 0 ? [] : [saveDatabases({ ...deps, databases: present, name: keptAs })];
  // A reset replaces the content: what belongs to the database itself stays, as it was just saved.
  const previous = async () => {
    if (!snapshot && present.length === 0) return [];
    return (snapshot ?? (await getSnapshot(folder, keptAs))).databases;
  };
  const prepare: Plan = [
    { title: 'Save the current databases', steps: save },
    { title: 'New databases', steps: [makeNewDatabases(postgres, databases, bootstrap)] },
    {
      title: 'Restore',
      steps: snapshot ? databases.map((name) => restoreDatabase(postgres, snapshot, name)) : [],
    },
  ];
  const swap = swapDatabases(postgres, databases, { previous, watch, onState: onSwap });
  const finish: Plan = [
    { title: 'Services', steps: services.map((name) => restartService(deps, name)) },
    {
      title: 'Old snapshots',
      steps: [pruneSnapshots(folder, snapshot ? [keptAs, snapshot.name] : [keptAs])],
    },
  ];
  return [...watchSteps(prepare, watch), { title: 'Swap', steps: [swap] }, ...watchSteps(finish, watch)];
}
