import { defineCommand } from '../cli/command.ts';
import { selectComponents } from '../config/services.ts';
import { followApi } from '../tools/kubernetes/follow-api.ts';
import { toTable } from '../ui/table.ts';
import { requireWritable } from './context/environment.ts';
import { parseForwardTarget } from './context/forward-targets.ts';
import { openCluster } from './context/open-cluster.ts';
import { openForwards } from './context/open-forwards.ts';

export const command = defineCommand({
  description:
    'Opens a port on 127.0.0.1 for each named service and data store (default: all) and keeps it open until Ctrl-C. While pods are replaced, up to 256 requests and connections wait for the next ready pod, each for 30 s at most. After that they get an error with the reason: 503 over HTTP, an error of PostgreSQL or Redis. A request that was delivered is never sent again.',
  arguments: {
    targets: {
      value: 'target',
      summary:
        'services to forward, or one port of their pods: auth-service:5005; also accepted: postgres, redis, s3',
      many: true,
      complete: 'services',
    },
  },
  examples: [
    'npm run forward',
    'npm run forward postgres redis',
    'npm run forward auth-service:5005',
    'npm run forward -- auth-service --json',
  ],
  onlyPrints: true,

  async run(app, { targets }) {
    const { signal, ui } = app;
    const environment = requireWritable(app, await app.environment(), 'forward');
    const { namespace } = environment;
    const words = targets.length > 0 ? [...new Set(targets)] : selectComponents(environment, []);
    const wanted = words.map((word) => parseForwardTarget(environment, word));
    const access = await openCluster(app, environment);
    const api = await followApi(() => access.openApi());

    const deps = { app, api, snapshots: access.snapshots, namespace, signal };
    const { ports, ended, close } = await openForwards(deps, wanted);
    try {
      const rows = wanted.map((target, at) => {
        const port = ports[at] ?? target.wantedPort;
        return {
          name: target.name,
          address: `127.0.0.1:${port}`,
          port,
          usage: target.toUsage(port, namespace),
        };
      });
      const head = ['target', 'address', 'usage'].map(ui.resultColors.dim);
      const table = toTable(
        rows.map(({ name, address, usage }) => [name, ui.resultColors.cyan(address), usage]),
        head,
      );
      ui.result({ version: 1, forwards: rows }, table);
      ui.say('open until Ctrl-C');
      await ended;
    } finally {
      close();
    }
  },
});
