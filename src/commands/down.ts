import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type App, defineCommand } from '../cli/command.ts';
import { name, yes } from '../cli/options.ts';
import { findMountedData, requireDataFolder } from '../cluster/data-folder.ts';
import { toBytes } from '../lib/bytes.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { getEngine } from '../machine/engine.ts';
import { planDown } from '../plans/down.ts';
import { ensureCheckoutId } from '../state/checkout-id.ts';
import { removeClusterRecord } from '../state/cluster-record.ts';
import { listSnapshots, toSnapshotsFolder } from '../state/database-snapshots.ts';
import { removeEngineRecord, toEngineFile } from '../state/engine-record.ts';
import { findOwnerLoss, findOwnerRecord } from '../state/owner-record.ts';
import { measureFolder } from '../tools/disk.ts';
import { readSituation } from './context/engine.ts';
import { requireWritable } from './context/environment.ts';
import { openSession } from './context/session.ts';

export const command = defineCommand({
  description:
    'Removes the cluster that this checkout created, and nothing else. Databases, files and their secrets are preserved in your data folder and used by the next `up`.',
  options: {
    stop: { summary: 'stop the cluster instead of removing it; `up` starts it again in seconds' },
    deleteData: { summary: 'delete the data as well, after you type the name of the cluster' },
    yes,
    name,
  },
  examples: ['npm run down', 'npm run down -- --stop', 'npm run down -- --delete-data'],

  async run(app, { stop, deleteData, yes: confirmed, name: wantedName }) {
    if (stop && deleteData) {
      throw new Failure('--stop and --delete-data cannot be combined', {
        hint: 'npm run down -- --stop',
        exitCode: exitCodes.usage,
      });
    }
    const overrides =
      wantedName === undefined
        ? []
        : ([{ flag: '--name', path: ['cluster', 'name'], value: wantedName }] as const);
    const environment = requireWritable(app, await app.environment({ overrides }), 'down');
    await app.exclusively(async () => {
      const {
        host,
        engine,
        name: cluster,
        record,
        found,
      } = await readSituation(app, environment, { name: wantedName });
      const data = join(app.paths.data, cluster);
      const checkoutId = await ensureCheckoutId(app.paths);
      /** The state folder describes one cluster; removing another one does not change it. */
      const isRecorded = (record?.name ?? cluster) === cluster;
      if (deleteData && found) await requireDataFolder(found, data, 'npm run down -- --delete-data');
      if (deleteData) await requireOwnData(data, checkoutId);
      if (deleteData) await app.confirmLoss(cluster, await describeData(data, app), confirmed);

      const { toolchain } = openSession(
        app,
        engine ?? (await getEngine(host, { signal: app.signal })),
        cluster,
      );
      const plan = planDown(toolchain, {
        cluster: found,
        checkoutId,
        kubeconfig: isRecorded ? join(app.paths.state, 'kubeconfig') : undefined,
        extent: stop ? 'stop' : deleteData ? 'data' : 'cluster',
        data,
      });
      const result = await app.runPlan(plan);
      const used = (found && findMountedData(found)) ?? data;
      if (!stop) await forgetEngine(used);
      if (!stop && isRecorded) await removeClusterRecord(app.paths);
      const value = {
        cluster,
        removed: found !== undefined && !stop,
        stopped: stop,
        dataDeleted: deleteData,
        ...result,
      };
      app.ui.result(value, describe(cluster, used, found !== undefined));
    });

    /** Lets any engine use the data. */
    async function forgetEngine(folder: string): Promise<void> {
      await removeEngineRecord(folder).catch((error: Error) => {
        // Another user's data folder; the cluster is removed all the same.
        app.ui.say(`${toEngineFile(folder)} could not be removed: ${error.message}`);
      });
    }

    function describe(cluster: string, data: string, existed: boolean): string {
      if (!existed && !deleteData) return `cluster ${cluster} does not exist`;
      if (stop) return `cluster ${cluster} is stopped; npm run up starts it again`;
      if (deleteData) return `cluster ${cluster} and its data are deleted`;
      return `cluster ${cluster} is removed; its data is preserved in ${data}`;
    }
  },
});

/**
 * The owner marks in a data folder name its checkouts; a folder without a mark has no cluster's data yet.
 * @throws {Failure} exit code 9 when only other checkouts have owned this cluster, and one of them may still exist.
 */
async function requireOwnData(data: string, checkoutId: string): Promise<void> {
  const owners = await readFolder(join(data, 'owners'));
  if (owners.length === 0 || owners.includes(checkoutId)) return;
  const losses = await Promise.all(
    owners.map(async (owner) => {
      const record = await findOwnerRecord(join(data, 'owners', owner));
      return record && findOwnerLoss(owner, record);
    }),
  );
  if (!losses.includes(undefined)) return;
  throw new Failure(`the data in ${data} belongs to another checkout`, {
    hint: 'npm run down -- --delete-data in the checkout that it belongs to',
    exitCode: exitCodes.refused,
  });
}

/** What would be deleted: one line per volume, with its size, and per snapshot. */
async function describeData(
  data: string,
  { exec, signal }: Pick<App, 'exec' | 'signal'>,
): Promise<readonly string[]> {
  const volumes = join(data, 'volumes');
  const namespaces = await readFolder(volumes);
  const claims = await Promise.all(
    namespaces.map(async (namespace) =>
      (await readFolder(join(volumes, namespace))).map((claim) => join(namespace, claim)),
    ),
  );
  const lines = await Promise.all(
    claims
      .flat()
      .map(async (claim) => `${claim}: ${toBytes(await measureFolder(exec, join(volumes, claim), signal))}`),
  );
  const snapshots = await listSnapshots(toSnapshotsFolder(dirname(data), basename(data)));
  const kept = snapshots.map(({ name, created }) => `snapshot ${name} of ${created}`);
  return [...lines, ...kept, `${data}: the secrets, without which no copy of the data can be opened`];
}

async function readFolder(path: string): Promise<readonly string[]> {
  return readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return [];
  });
}
