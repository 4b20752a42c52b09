import { isatty } from 'node:tty';
import { type App, defineCommand } from '../cli/command.ts';
import { yes } from '../cli/options.ts';
import type { LocalEnvironment } from '../config/schema.ts';
import { selectComponents } from '../config/services.ts';
import { findDockerfile } from '../images/source/dockerfile-source.ts';
import { toBytes } from '../lib/bytes.ts';
import { toDuration } from '../lib/duration.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { planReplace, planSave } from '../plans/databases.ts';
import {
  type DatabaseSnapshot,
  getSnapshot,
  parseSnapshotName,
  requireFreeName,
} from '../state/database-snapshots.ts';
import type { SwapState } from '../steps/replace-databases.ts';
import { standInSchema } from '../tools/stand-in-schema.ts';
import { requireWritable } from './context/environment.ts';
import { handOver } from './context/hand-over.ts';
import {
  type Databases,
  getDatabase,
  openDatabases,
  readBootstrap,
  readImages,
  selectDatabases,
} from './db/databases.ts';
import { listDatabases } from './db/list-databases.ts';

const actions = ['save', 'restore', 'reset'] as const;

export const command = defineCommand({
  description: `Opens psql in the database of a service. Arguments after a second -- are passed to psql.

  db save NAME [service…]     saves databases at one point in time; writes wait
  db restore NAME [service…]  replaces databases with a snapshot
  db reset [service…]         replaces databases with empty ones

restore and reset first save a snapshot of what they replace, and keep the last three of these. The new databases are created next to the old ones and take their place in a single step, so an interrupted restore changes nothing. Then the services are restarted.`,
  arguments: {
    words: {
      value: 'service | save | restore | reset',
      summary: 'service whose database to open, or an action',
      many: true,
      complete: 'services',
      words: actions,
    },
  },
  options: {
    list: { summary: 'list the databases and snapshots' },
    yes,
  },
  examples: [
    'npm run db user-service',
    "npm run db -- user-service -- --command 'select count(*) from users'",
    'npm run db save before-migration',
    'npm run db restore before-migration',
    'npm run db -- reset board-service --yes',
    'npm run db -- --list',
  ],
  handsOverTerminal: true,

  async run(app, { words, list, yes: confirmed }) {
    const environment = requireWritable(app, await app.environment(), 'db');
    const [first, ...rest] = words;
    if (list) return listDatabases(app, environment);
    if (first === 'save') return save(app, environment, rest);
    if (first === 'restore') return restore(app, environment, rest, confirmed);
    if (first === 'reset') return reset(app, environment, rest, confirmed);
    return openPsql(app, environment, first, rest);
  },
});

async function openPsql(
  app: App,
  environment: LocalEnvironment,
  service: string | undefined,
  args: readonly string[],
): Promise<number> {
  const [name] = service === undefined ? [] : selectComponents(environment, [service]);
  const { postgres, ofService, kubectl } = await openDatabases(app, environment);
  const database = name === undefined || name === 'postgres' ? 'postgres' : getDatabase(ofService, name);
  const isTerminal = isatty(0) && isatty(1);
  const isStandIn =
    name !== undefined && (await findDockerfile(environment, name, app.paths.checkout)) === undefined;
  const searchPath = isStandIn ? [standInSchema, 'public'] : undefined;
  return handOver(app, kubectl, postgres.toPsql(database, args, { isTerminal, searchPath }));
}

async function save(
  app: App,
  environment: LocalEnvironment,
  [name, ...services]: readonly string[],
): Promise<void> {
  const wanted = requireName(name, 'save');
  await app.exclusively(async () => {
    const databases = await openDatabases(app, environment, { withSnapshots: true });
    const { folder, ofService } = databases;
    await requireFreeName(folder, wanted);
    const names = selectDatabases(environment, ofService, services);
    const result = await app.runPlan(planSave({ ...toSaveDeps(databases), name: wanted, databases: names }));
    const saved = await getSnapshot(folder, wanted);
    app.ui.result(
      { snapshot: wanted, folder: saved.folder, databases: saved.databases, ...result },
      `saved ${describe(saved)} in ${toDuration(result.milliseconds)}: ${saved.folder}`,
    );
  });
}

async function restore(
  app: App,
  environment: LocalEnvironment,
  [name, ...services]: readonly string[],
  confirmed: boolean,
): Promise<void> {
  const wanted = requireName(name, 'restore', true);
  await app.exclusively(async () => {
    const databases = await openDatabases(app, environment, { withSnapshots: true });
    const snapshot = await getSnapshot(databases.folder, wanted);
    await requireVersion(snapshot, databases, app.signal);
    const saved = snapshot.databases.map(({ name: database }) => database);
    const names = services.length === 0 ? saved : selectDatabases(environment, databases.ofService, services);
    const missing = names.filter((each) => !saved.includes(each));
    if (missing.length > 0) {
      throw new Failure(`snapshot ${wanted} does not contain ${missing.join(', ')}`, {
        hint: 'npm run db -- --list',
        exitCode: exitCodes.usage,
      });
    }
    await replace(app, databases, {
      names,
      snapshot,
      confirmationText: wanted,
      action: 'restore',
      confirmed,
    });
  });
}

async function reset(
  app: App,
  environment: LocalEnvironment,
  services: readonly string[],
  confirmed: boolean,
): Promise<void> {
  await app.exclusively(async () => {
    const databases = await openDatabases(app, environment, { withSnapshots: true });
    const names = selectDatabases(environment, databases.ofService, services);
    const confirmationText =
      services.length === 1 && services[0] !== undefined ? services[0] : databases.record.name;
    await replace(app, databases, {
      names,
      confirmationText,
      action: 'reset',
      confirmed,
    });
  });
}

interface Replacement {
  readonly names: readonly string[];
  readonly snapshot?: DatabaseSnapshot;
  /** The text that the user types to confirm. */
  readonly confirmationText: string;
  readonly action: 'restore' | 'reset';
  readonly confirmed: boolean;
}

async function replace(
  app: App,
  databases: Databases,
  { names, snapshot, confirmationText, action, confirmed }: Replacement,
): Promise<void> {
  const { postgres, ofService, deployed, kubectl, snapshots, namespace } = databases;
  const present = (await postgres.listDatabases(app.signal)).filter(({ name }) => names.includes(name));
  const time = new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  const keptAs = `auto-before-${action}-${time}`;
  const losses = [
    ...present.map(({ name, bytes }) => `the current content of ${name}, ${toBytes(bytes)}`),
    `it is first saved as snapshot ${keptAs}, which is kept until three newer ones exist`,
  ];
  await app.confirmLoss(confirmationText, losses, confirmed);
  let state: SwapState = 'unchanged';
  const plan = planReplace(
    {
      ...toSaveDeps(databases),
      ...{ kubectl, snapshots, namespace, databases: names },
      bootstrap: (signal) => readBootstrap(databases, signal),
    },
    {
      ...{ snapshot, present: present.map(({ name }) => name), keptAs },
      services: [...ofService]
        .filter(([service, name]) => names.includes(name) && deployed.includes(service))
        .map(([service]) => service),
      onSwap: (current) => {
        state = current;
      },
    },
  );
  const result = await app.runPlan(plan).catch((error) => {
    app.ui.say(describeState(state, names, keptAs));
    throw error;
  });
  const done = snapshot ? `restored from snapshot ${snapshot.name} of ${snapshot.created}` : 'reset to empty';
  app.ui.result(
    { databases: names, snapshot: snapshot?.name, keptAs, ...result },
    `${names.join(', ')}: ${done} in ${toDuration(result.milliseconds)}; the previous content is saved as snapshot ${keptAs}`,
  );
}

/** What a replacement that did not end has left. */
function describeState(state: SwapState, names: readonly string[], keptAs: string): string {
  const all = names.join(', ');
  const saved = `the previous content is saved as snapshot ${keptAs}`;
  if (state === 'unchanged') return `${all}: unchanged`;
  if (state === 'replaced') return `${all}: replaced; ${saved}`;
  return `${all}: the connection was lost while all were being replaced at once, so either all are or none; ${saved}`;
}

function toSaveDeps(databases: Databases) {
  const { postgres, folder, watch } = databases;
  return { postgres, folder, watch, images: (signal: AbortSignal) => readImages(databases, signal) };
}

function describe({ name, databases }: DatabaseSnapshot): string {
  const size = databases.reduce((sum, { bytes }) => sum + bytes, 0);
  return `${name}: ${databases.length} ${databases.length === 1 ? 'database' : 'databases'}, ${toBytes(size)}`;
}

/** @throws {Failure} exit code 2 for a missing or invalid name. */
function requireName(name: string | undefined, action: string, allowsAutomatic = false): string {
  const isValid =
    name !== undefined &&
    (parseSnapshotName(name) !== undefined || (allowsAutomatic && /^auto-[\w-]+$/.test(name)));
  if (isValid) return name;
  const problem =
    name === undefined
      ? `db ${action} requires the name of a snapshot`
      : `${JSON.stringify(name)} is not a valid snapshot name`;
  throw new Failure(problem, {
    cause:
      name === undefined
        ? undefined
        : 'allowed are lower-case letters, digits, . _ and -; the prefix auto- is reserved',
    hint: `npm run db ${action} before-migration`,
    exitCode: exitCodes.usage,
  });
}

/** PostgreSQL reads snapshots of older versions, but not of newer ones. */
async function requireVersion(
  { name, postgres: written }: DatabaseSnapshot,
  { postgres }: Databases,
  signal: AbortSignal,
): Promise<void> {
  const toMajor = (version: number) => Math.floor(version / 10_000);
  const running = await postgres.readVersion(signal);
  if (toMajor(written) <= toMajor(running)) return;
  throw new Failure(
    `snapshot ${name} was saved by PostgreSQL ${toMajor(written)}, but ${toMajor(running)} is running`,
    {
      hint: `restore it to a cluster with PostgreSQL ${toMajor(written)} or newer`,
      exitCode: exitCodes.workload,
    },
  );
}
