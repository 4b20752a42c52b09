import { type App, defineCommand } from '../cli/command.ts';
import { environment as environmentOption } from '../cli/options.ts';
import { createNodeWatch } from '../cluster/node-watch.ts';
import { selectComponents } from '../config/services.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { parseDuration } from '../lib/parse-duration.ts';
import type { Watch } from '../lib/watchdog.ts';
import { createReadableFormat, formatAsJson } from '../logs/log-format.ts';
import { levels } from '../logs/log-level.ts';
import { followLogs, printLogs } from '../logs/logs.ts';
import { findEngineVersion } from '../machine/engine.ts';
import { readHost } from '../machine/host.ts';
import { findClusterRecord } from '../state/cluster-record.ts';
import { createDocker } from '../tools/docker/docker.ts';
import { followApi } from '../tools/kubernetes/follow-api.ts';
import { findComponent, type Pod } from '../tools/kubernetes/objects.ts';
import { listPods } from '../tools/kubernetes/watch-pods.ts';
import { isLocal } from './context/environment.ts';
import { openCluster } from './context/open-cluster.ts';
import { hideClusterSecrets } from './context/secrets.ts';
import { createLogFilter, openFollowedOutput, printTo } from './logs/log-output.ts';
import { reportPauses } from './logs/report-pauses.ts';

/** Existing lines of each container that are shown before new ones, by default. */
const usualTail = 20;

export const command = defineCommand({
  description: `Prints the logs of all pods of the named services and data stores (default: all), sorted by time: the last ${usualTail} lines of each container, then new lines as they are written. JSON lines are formatted for reading. "-- gap --" marks lines that the node discarded before they were read. All followed lines are also saved, unfiltered, in files below .wealist/logs/; beyond 256 MB the oldest files are removed.`,
  arguments: {
    services: {
      value: 'service',
      summary: 'only these services; also accepted: postgres, redis, s3',
      many: true,
      complete: 'services',
    },
  },
  options: {
    env: environmentOption,
    noFollow: { summary: 'print the existing lines and exit; all of them unless --tail or --since is given' },
    since: {
      value: 'duration',
      summary: 'only lines newer than this duration',
      parse: parseDuration,
      example: '5m',
    },
    tail: {
      value: 'number',
      summary: 'at most this many existing lines of each container',
      parse: (text: string) => (/^\d{1,9}$/.test(text) ? Number(text) : undefined),
      example: '100',
    },
    grep: {
      value: 'pattern',
      summary: 'only lines that match this regular expression',
      parse: parsePattern,
      example: "'status=5..'",
    },
    exclude: {
      value: 'pattern',
      summary: 'no lines that match this regular expression',
      parse: parsePattern,
      example: '/health/',
    },
    highlight: {
      value: 'pattern',
      summary: 'emphasise what matches this regular expression',
      parse: parsePattern,
      example: 'user-42',
    },
    ignoreCase: { summary: 'the patterns match upper and lower case alike', short: 'i' },
    level: {
      value: 'level',
      summary: 'only lines of this level and above; a line without a level counts as info',
      choices: levels,
    },
    previous: { summary: 'logs of the previous instance of each container, to see why it was restarted' },
  },
  examples: [
    'npm run logs',
    'npm run logs auth-service postgres',
    'npm run logs -- board-service --since 10m --grep error',
    'npm run logs -- --level warn --since 1h --no-follow',
    'npm run logs -- --exclude /health/ --highlight timeout --ignore-case',
    'npm run logs -- auth-service --previous',
  ],
  onlyPrints: true,

  async run(app, { services, env, noFollow, since, tail, level, previous, ignoreCase, ...patterns }) {
    const { ui, signal } = app;
    const environment = await app.environment({ name: env });
    const components = selectComponents(environment, services);
    const access = await openCluster(app, environment);
    const nodes = isLocal(environment) ? await findNodes(app) : undefined;
    const isPrinting = noFollow || previous;
    const api = await (isPrinting ? access.openApi() : followApi(() => access.openApi()));
    await hideClusterSecrets(app, environment);
    const { grep, exclude, highlight } = ignoreCase ? ignoreCaseOf(patterns) : patterns;
    const colors = ui.resultColors;
    const format = ui.json ? formatAsJson : createReadableFormat({ components, colors, highlight });
    const filter = createLogFilter({ grep, exclude, level });

    const options = {
      namespace: environment.namespace,
      componentOf: (pod: Pod) => {
        const component = findComponent(pod);
        return services.length === 0 || (component !== undefined && services.includes(component))
          ? component
          : undefined;
      },
      tail: tail ?? (isPrinting || since !== undefined ? undefined : usualTail),
      since: since === undefined ? undefined : Date.now() - since,
      signal,
    };

    if (!isPrinting) {
      const output = await openFollowedOutput(app, format, filter);
      const following = followLogs(api, {
        ...options,
        write: output.write,
        onNoLogs: () => ui.say(`no pod of ${toNames(services)} is running yet: waiting`),
        onSilence: ({ message }) => ui.say(`${message}: waiting for it`),
      });
      if (nodes) void reportPauses({ ...nodes, say: ui.say, signal });
      await Promise.race([following, output.failed]).finally(() => output.close());
    }
    const print = printTo(app, format);
    const write: typeof print = (source, lines) => print(source, filter(source, lines));
    const watch: Watch = nodes
      ? createNodeWatch(nodes.docker, nodes.cluster)
      : (outer, call) => call(outer ?? signal);
    const read = await watch(signal, async (limited) => {
      const pods = await listPods(api, environment.namespace, limited);
      return printLogs(api, pods, { ...options, signal: limited, write, previous });
    });
    if (read > 0) return;
    throw new Failure(
      previous
        ? `no container of ${toNames(services)} has been restarted`
        : `no container of ${toNames(services)} has run`,
      { hint: 'npm run status', exitCode: exitCodes.workload },
    );
  },
});

/** The nodes of the checkout's cluster, as the engine shows them; undefined where no engine responds. */
async function findNodes({ paths, exec, signal }: App) {
  const [host, record] = await Promise.all([readHost(), findClusterRecord(paths)]);
  // The API server can be asked all the same.
  const engine = record && (await findEngineVersion(host, { signal }).catch(() => undefined));
  return record && engine ? { docker: createDocker(engine, exec), cluster: record.name } : undefined;
}

function toNames(services: readonly string[]): string {
  return services.length === 0 ? 'weAlist' : services.join(', ');
}

interface Patterns {
  readonly grep: RegExp | undefined;
  readonly exclude: RegExp | undefined;
  readonly highlight: RegExp | undefined;
}

/** The same patterns for upper and lower case. */
function ignoreCaseOf({ grep, exclude, highlight }: Patterns): Patterns {
  const relax = (pattern: RegExp | undefined) => pattern && new RegExp(pattern.source, 'i');
  return { grep: relax(grep), exclude: relax(exclude), highlight: relax(highlight) };
}

/** The pattern has no flags g or y, which would make it continue at the last match. */
function parsePattern(text: string): RegExp | undefined {
  try {
    return new RegExp(text);
  } catch {
    return undefined;
  }
}
