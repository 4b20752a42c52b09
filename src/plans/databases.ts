import type { Plan } from '../plan/plan.ts';
import type { DatabaseSnapshot } from '../state/database-snapshots.ts';
import { makeNewDatabases, restoreDatabase, swapDatabases } from '../steps/replace-databases.ts';
import { type RestartDeps, restartService } from '../steps/restart-service.ts';
import { type SaveOptions, saveDatabases } from '../steps/save-databases.ts';

export interface ReplaceDeps extends RestartDeps, Omit<SaveOptions, 'name'> {
  /** The script that makes the databases of all services. */
  readonly bootstrap: (signal: AbortSignal) => Promise<string>;
}

export interface ReplaceChoice {
  /** What their content is to be; without it they are empty. */
  readonly snapshot?: DatabaseSnapshot | undefined;
  /** Those that are there, and are saved first under `keptAs`. */
  readonly present: readonly string[];
  readonly keptAs: string;
  /** Deployments that use them. */
  readonly services: readonly string[];
}

/** Saves databases under a name. */
export function planSave(options: SaveOptions): Plan {
  return [{ title: 'Save', steps: [saveDatabases(options)] }];
}

/**
 * Replaces databases as a whole: new ones are made and filled beside them, and take their place at one moment. Until
 * then, whatever happens, they are as they were; what they were is kept as a snapshot.
 */
export function planReplace(deps: ReplaceDeps, choice: ReplaceChoice): Plan {
  const { postgres, databases, bootstrap } = deps;
  const { snapshot, present, keptAs, services } = choice;
  const save = present.length === 0 ? [] : [saveDatabases({ ...deps, databases: present, name: keptAs })];
  return [
    { title: 'Keep what is there', steps: save },
    { title: 'New databases', steps: [makeNewDatabases(postgres, databases, bootstrap)] },
    {
      title: 'Restore',
      steps: snapshot ? databases.map((name) => restoreDatabase(postgres, snapshot, name)) : [],
    },
    { title: 'Swap', steps: [swapDatabases(postgres, databases)] },
    { title: 'Services', steps: services.map((name) => restartService(deps, name)) },
  ];
}
