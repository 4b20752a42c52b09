import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Snapshots } from '../diagnosis/snapshot.ts';
import type { Run, Step } from '../plan/plan.ts';
import { isMissing } from '../state/atomic-file.ts';
import type { Kubectl } from '../tools/kubernetes/kubectl.ts';
import { findComponent, isPodReady } from '../tools/kubernetes/objects.ts';
import type { Postgres, PostgresPlace } from '../tools/postgres.ts';
import { listMisplacedTables, moveMisplacedTables, standInSchema } from '../tools/stand-in-schema.ts';

export interface MoveStandInTablesDeps {
  readonly kubectl: Kubectl;
  readonly snapshots: Snapshots;
  readonly openPostgres: (place: PostgresPlace) => Pick<Postgres, 'listDatabases' | 'readJson' | 'run'>;
  readonly namespace: string;
  /** Looks again although all tables were found in place before. */
  readonly repairs: boolean;
  /** The services that this run deploys. */
  readonly services: readonly string[];
  /** The cluster's data folder, which has the databases. */
  readonly data: string;
  /** Waits until the data stores are ready, where they are not. */
  readonly waitForStores: (run: Run) => Promise<void>;
}

/** Databases and this file are preserved and deleted together. */
function toMarker(data: string): string {
  return join(data, 'stand-in-schema');
}

function hasDatabases(data: string, namespace: string): Promise<boolean> {
  return exists(join(data, 'volumes', namespace, 'data-postgres-0'));
}

/**
 * A data folder that has no databases yet will have no table of an earlier version. Recorded before they are made, so that
 * services need not wait for the databases to be looked at.
 */
export function recordNewDatabases({
  data,
  namespace,
}: Pick<MoveStandInTablesDeps, 'data' | 'namespace'>): Step {
  return {
    title: "new databases' schema",
    async isDone() {
      if (await exists(toMarker(data))) return `recorded as ${standInSchema}`;
      return (await hasDatabases(data, namespace)) && 'there are databases';
    },
    apply: () => writeFile(toMarker(data), ''),
  };
}

/**
 * Tables that the stand-ins of an earlier version made in `public` are in the stand-ins' own schema, so that weAlist's own
 * programs do not meet them. The stand-in that uses them would make them again, so its Deployment is deleted first; this
 * run deploys it again. Databases of services that it does not deploy are left to a later one.
 */
export function moveStandInTables(deps: MoveStandInTablesDeps): Step {
  const { kubectl, snapshots, openPostgres, namespace, services } = deps;
  const marker = toMarker(deps.data);

  /** The service of each database, as its ConfigMap says. */
  async function readServices({ signal }: Run): Promise<ReadonlyMap<string, string>> {
    const where = ['configmaps', `--namespace=${namespace}`];
    const { items } = await kubectl.getJson<{ readonly items: readonly ConfigMap[] }>(where, signal);
    return new Map(
      items.flatMap(({ metadata: { name }, data }) =>
        data?.DB_NAME === undefined ? [] : [[data.DB_NAME, name.replace(/-config$/, '')]],
      ),
    );
  }

  return {
    title: "stand-ins' tables",

    async isDone() {
      if (deps.repairs) return false;
      if (await exists(marker)) return `in schema ${standInSchema}`;
      return !(await hasDatabases(deps.data, namespace)) && 'there are no databases yet';
    },

    async apply(run) {
      const { signal, report } = run;
      await deps.waitForStores(run);
      const snapshot = await snapshots.take(signal);
      const pod = snapshot
        .list('Pod')
        .find((each) => each.metadata.namespace === namespace && findComponent(each) === 'postgres');
      // A server outside of the cluster is not this tool's.
      if (!pod || !isPodReady(pod)) return;
      const postgres = openPostgres({ namespace, pod: pod.metadata.name, container: 'postgres' });
      const owners = await readServices(run);
      const isDeployed = (name: string) => snapshot.find('Deployment', name, namespace) !== undefined;
      let isComplete = true;
      for (const { name: database } of await postgres.listDatabases(signal)) {
        const tables = (await postgres.readJson(database, listMisplacedTables, signal)) as readonly string[];
        if (tables.length === 0) continue;
        const service = owners.get(database);
        if (service !== undefined && isDeployed(service)) {
          if (!services.includes(service)) {
            isComplete = false;
            continue;
          }
          report(`ending ${service}, which an earlier version deployed`);
          const what = ['deployment', service, `--namespace=${namespace}`, '--ignore-not-found'];
          await kubectl.run(['delete', ...what, '--cascade=foreground', '--timeout=60s'], signal);
        }
        report(`${database}: moving ${tables.join(', ')} into schema ${standInSchema}`);
        await postgres.run(moveMisplacedTables(database), signal);
      }
      if (isComplete) await writeFile(marker, '');
    },
  };
}

interface ConfigMap {
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
}

/** @throws {Error} of the file system for a path that cannot be looked at: it is not known to be missing. */
async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    (error) => {
      if (isMissing(error)) return false;
      throw error;
    },
  );
}
