import { type App, defineCommand } from '../cli/command.ts';
import { environment as environmentOption } from '../cli/options.ts';
import type { Environment } from '../config/schema.ts';
import { selectComponents } from '../config/services.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { parseDuration } from '../lib/parse-duration.ts';
import { createReadableFormat, formatAsJson } from '../logs/log-format.ts';
import { levels } from '../logs/log-level.ts';
import { followLogs, printLogs } from '../logs/logs.ts';
import { findClusterRecord } from '../state/cluster-record.ts';
import { findSecrets } from '../state/secrets.ts';
import { findComponent, type Pod } from '../tools/kubernetes/objects.ts';
import { listPods } from '../tools/kubernetes/watch-pods.ts';
import { getClusterAccess } from './context/environment-cluster.ts';
import { isLocal } from './context/guard.ts';
import { toSecretsOptions } from './context/secrets-options.ts';
import { createLogFilter, openFollowedOutput, printTo } from './logs/log-output.ts';

/** Lines of each container that are shown before what is followed, where nothing else is wanted. */
const usualTail = 20;

export const command = defineCommand({
  summary: 'the merged logs of services and data stores, followed through restarts and new pods',
  description: `Prints the logs of all pods of the named services and data stores, of all when none is named, in the order of time: the last ${usualTail} lines of each, and then what is written from now on. JSON lines are shown readably. "-- gap --" stands where the node has thrown lines away before they were read. All that is followed is also kept, unfiltered, in files below .wealist/logs/, of which the oldest go beyond 256 MB.`,
  arguments: {
    services: {
      value: 'service',
      summary: 'only these; postgres, redis and s3 are some, too',
      many: true,
      complete: 'services',
    },
  },
  options: {
    env: environmentOption,
    noFollow: { summary: 'print what there is, all of it where no --tail or --since says otherwise' },
    since: {
      value: 'duration',
      summary: 'only what was written in this time',
      parse: parseDuration,
      example: '5m',
    },
    tail: {
      value: 'number',
      summary: 'of each container, at most so many of the lines written so far',
      parse: (text: string) => (/^\d{1,9}$/.test(text) ? Number(text) : undefined),
      example: '100',
    },
    grep: {
      value: 'pattern',
      summary: 'only lines in which this regular expression matches',
      parse: parsePattern,
      example: "'status=5..'",
    },
    level: {
      value: 'level',
      summary: 'only lines of this level and above; a line that says none counts as info',
      choices: levels,
    },
    previous: { summary: 'of the run before the newest: why a container was restarted' },
  },
  examples: [
    'npm run logs',
    'npm run logs auth-service postgres',
    'npm run logs -- board-service --since 10m --grep error',
    'npm run logs -- --level warn --since 1h --no-follow',
    'npm run logs -- auth-service --previous',
  ],
  onlyPrints: true,

  async run(app, { services, env, noFollow, since, tail, grep, level, previous }) {
    const { ui, signal } = app;
    const environment = await app.environment({ name: env });
    const components = selectComponents(environment, services);
    const api = await (await getClusterAccess(app, environment)).openApi();
    await hideSecrets(app, environment);
    const format = ui.json ? formatAsJson : createReadableFormat({ components, colors: ui.resultColors });
    const filter = createLogFilter({ grep, level });
    const isPrinting = noFollow || previous;

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
        onNoLogs: () => ui.say(`nothing of ${toNames(services)} runs yet: waiting for it`),
        onSilence: () => ui.say('the cluster does not answer: waiting for it'),
      });
      await Promise.race([following, output.failed]).finally(() => output.close());
    }
    const print = printTo(app, format);
    const write: typeof print = (source, lines) => print(source, filter(source, lines));
    const pods = await listPods(api, environment.namespace, signal);
    const read = await printLogs(api, pods, { ...options, write, previous });
    if (read > 0) return;
    throw new Failure(
      previous
        ? `nothing of ${toNames(services)} has been restarted`
        : `nothing of ${toNames(services)} has run`,
      { hint: 'npm run status', exitCode: exitCodes.workload },
    );
  },
});

/** What a service says of its own password is not repeated. */
async function hideSecrets(app: App, environment: Environment): Promise<void> {
  const record = await findClusterRecord(app.paths);
  if (!record || !isLocal(environment)) return;
  // Having read them is what takes them out of all that is printed.
  await findSecrets(await toSecretsOptions(app, environment, record.name));
}

function toNames(services: readonly string[]): string {
  return services.length === 0 ? 'weAlist' : services.join(', ');
}

/** Without the flags that make a pattern remember where it matched last. */
function parsePattern(text: string): RegExp | undefined {
  try {
    return new RegExp(text);
  } catch {
    return undefined;
  }
}
