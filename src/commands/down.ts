import { join } from 'node:path';
import { defineCommand } from '../cli/command.ts';
import { name, yes } from '../cli/options.ts';
import { findMountedData, requireDataFolder } from '../cluster/data-folder.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { getEngine } from '../machine/engine.ts';
import { planDown } from '../plans/down.ts';
import { ensureCheckoutId } from '../state/checkout-id.ts';
import { removeClusterRecord } from '../state/cluster-record.ts';
import { removeEngineRecord, toEngineFile } from '../state/engine-record.ts';
import { requireNoLinks } from '../steps/delete-data.ts';
import { createVolumeFolders } from '../tools/volume-folders.ts';
import { readSituation } from './context/engine.ts';
import { requireWritable } from './context/environment.ts';
import { openSession } from './context/session.ts';
import { createRunInContainer, describeData, requireOwnData } from './down/data-folder.ts';

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
      const { toolchain } = openSession(
        app,
        engine ?? (await getEngine(host, { signal: app.signal })),
        cluster,
      );
      const run = createRunInContainer(toolchain, found);
      const volumes = createVolumeFolders(data, { exec: app.exec, run });
      if (deleteData) {
        await requireOwnData(data, checkoutId);
        await requireNoLinks(data);
        await app.confirmLoss(cluster, await describeData(data, volumes, app.signal), confirmed);
      }
      const plan = planDown(toolchain, {
        cluster: found,
        checkoutId,
        kubeconfig: isRecorded ? join(app.paths.state, 'kubeconfig') : undefined,
        extent: stop ? 'stop' : deleteData ? 'data' : 'cluster',
        data,
        volumes,
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
