import type { Plan } from '../plan/plan.ts';
import { type DatabaseSnapshot, getSnapshot } from '../state/database-snapshots.ts';
import { pruneSnapshots } from '../steps/prune-snapshots.ts';
import { makeNewDatabases, restoreDatabase, swapDatabases } from '../steps/replace-databases.ts';
import { type RestartDeps, restartService } from '../steps/restart-service.ts';
import { type SaveOptions, saveDatabases } from '../steps/save-databases.ts';

export interface ReplaceDatabasesDeps extends RestartDeps, Omit<SaveOptions, 'name'> {
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
}

/** Saves databases as a snapshot. */
export function planSave(options: SaveOptions): Plan {
  return [{ title: 'Save', steps: [saveDatabases(options)] }];
}

/**
 * Replaces databases: new ones are created and filled, and then replace the current ones at once. Until then a failure
 * leaves the current ones unchanged; their content is saved as a snapshot first. Older automatic snapshots are removed
 * last, when nothing can need them any more.
 */
export function planReplace(deps: ReplaceDatabasesDeps, choice: ReplaceDatabasesChoice): Plan {
  const { postgres, databases, bootstrap, folder } = deps;
  const { snapshot, present, keptAs, services } = choice;
  const save = present.length === 0 ? [] : [saveDatabases({ ...deps, databases: present, name: keptAs })];
  // A reset replaces the content: what belongs to the database itself stays, as it was just saved.
  const previous = async () => {
    if (!snapshot && present.length === 0) return [];
    return (snapshot ?? (await getSnapshot(folder, keptAs))).databases;
  };
  return [
    { title: 'Save the current databases', steps: save },
    { title: 'New databases', steps: [makeNewDatabases(postgres, databases, bootstrap)] },
    {
      title: 'Restore',
      steps: snapshot ? databases.map((name) => restoreDatabase(postgres, snapshot, name)) : [],
    },
    { title: 'Swap', steps: [swapDatabases(postgres, databases, previous)] },
    { title: 'Services', steps: services.map((name) => restartService(deps, name)) },
    {
      title: 'Old snapshots',
      steps: [pruneSnapshots(folder, snapshot ? [keptAs, snapshot.name] : [keptAs])],
    },
  ];
}
