import type { App } from '../../cli/command.ts';
import type { LocalEnvironment } from '../../config/schema.ts';
import { toAge } from '../../lib/age.ts';
import { toBytes } from '../../lib/bytes.ts';
import { Failure } from '../../lib/failure.ts';
import { findClusterRecord } from '../../state/cluster-record.ts';
import { listSnapshots, toSnapshotsFolder } from '../../state/database-snapshots.ts';
import { isLeftover } from '../../steps/replace-databases.ts';
import { toTable } from '../../ui/table.ts';
import { openDatabases } from './databases.ts';

interface DatabaseRow {
  readonly name: string;
  readonly service: string | undefined;
  readonly bytes: number;
  /** Left by an interrupted restore or reset; the next one removes it. */
  readonly isLeftover: boolean;
}

/** Prints the databases and the snapshots; the latter exist without a cluster, too. */
export async function listDatabases(app: App, environment: LocalEnvironment): Promise<void> {
  const { ui, paths } = app;
  const record = await findClusterRecord(paths);
  const folder = toSnapshotsFolder(paths.data, record?.name ?? environment.cluster.name);
  const [{ databases, unavailable }, snapshots] = await Promise.all([
    readDatabases(app, environment),
    listSnapshots(folder),
  ]);
  const rows = snapshots.map(({ name, created, images, databases: saved, folder: place }) => {
    const bytes = saved.reduce((sum, each) => sum + each.bytes, 0);
    return { name, created, bytes, databases: saved.map((each) => each.name), images, folder: place };
  });
  const { dim, cyan } = ui.resultColors;
  const databaseTable = toTable(
    databases.map(({ name, service = '', bytes, isLeftover }) => [
      `  ${cyan(name)}`,
      isLeftover ? dim('left by an interrupted restore or reset') : service,
      toBytes(bytes),
    ]),
    ['  database', 'service', 'size'].map(dim),
  );
  const snapshotTable = toTable(
    rows.map(({ name, created, bytes, databases: { length } }) => [
      `  ${cyan(name)}`,
      toAge(Date.now() - Date.parse(created)),
      toBytes(bytes),
      `${length} ${length === 1 ? 'database' : 'databases'}`,
    ]),
    ['  snapshot', 'age', 'size', 'contains'].map(dim),
  );
  const text = [
    unavailable === undefined ? databaseTable : `  no databases: ${unavailable}`,
    rows.length === 0
      ? '  no snapshots; to save one: npm run db save before-migration'
      : `${snapshotTable}\n  ${dim(folder)}`,
  ].join('\n\n');
  ui.result({ version: 1, databases, snapshots: rows, folder }, text);
}

async function readDatabases(
  app: App,
  environment: LocalEnvironment,
): Promise<{ readonly databases: readonly DatabaseRow[]; readonly unavailable?: string }> {
  try {
    const { postgres, ofService } = await openDatabases(app, environment);
    const services = new Map([...ofService].map(([service, name]) => [name, service]));
    const found = await postgres.listDatabases(app.signal);
    return {
      databases: found.map((each) => {
        const { name, bytes } = each;
        return { name, service: services.get(name), bytes, isLeftover: isLeftover(each) };
      }),
    };
  } catch (error) {
    app.signal.throwIfAborted();
    if (error instanceof Failure) return { databases: [], unavailable: error.message };
    throw error;
  }
}
