import { type App, defineCommand } from '../cli/command.ts';
import { yes } from '../cli/options.ts';
import { listEnvironments } from '../config/layers.ts';
import type { Environment } from '../config/schema.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { chooseEnvironment, findChosenEnvironment } from '../state/chosen-environment.ts';
import { ensureStateFolder } from '../state/state-folder.ts';
import { findTrust } from '../state/trust.ts';
import { isLocal } from './context/environment.ts';
import { describeEnvironment, describeEnvironments, toDescription, toLines } from './env/describe.ts';
import { type ProbedEnvironment, probeEnvironment } from './env/probe.ts';
import { trustCluster } from './env/trust.ts';

export const command = defineCommand({
  description:
    'Without an action it lists all environments with their clusters and lets you choose one, with the arrow keys or by typing. The choice is remembered for this checkout. Only an environment on this machine is ever changed. A remote one is read-only, and is read only after `trust` has recorded the identity of its cluster.',
  arguments: {
    action: { value: 'action', summary: 'what to do', choices: ['list', 'use', 'show', 'trust'] },
    name: { value: 'environment', summary: 'for use, show and trust', complete: 'environments' },
  },
  options: {
    context: { value: 'name', summary: 'trust: kube context to use (default: the one in the environment)' },
    yes,
  },
  examples: [
    'npm run env',
    'npm run env -- list --json',
    'npm run env use dev',
    'npm run env -- trust dev --context my-cluster',
  ],

  async run(app, { action, name, context, yes: confirmed }) {
    if (context !== undefined && action !== 'trust')
      refuse('--context requires the action trust', 'npm run env -- trust <environment> --context <name>');
    switch (action) {
      case 'list': {
        if (name !== undefined) refuse('list takes no environment', `npm run env show ${name}`);
        const environments = await probeAll(app);
        const text = describeEnvironments(environments, app.ui.resultColors);
        return app.ui.result({ version: 1, environments }, text);
      }
      case 'use':
        return use(app, await app.environment({ name: requireName(name, action) }));
      case 'show':
        return show(app, await app.environment({ name }));
      case 'trust': {
        const environment = await app.environment({ name: requireName(name, action) });
        const trust = await trustCluster(app, environment, { context, confirmed });
        const { server } = trust.fingerprint;
        return app.ui.result(
          { version: 1, environment: environment.name, ...trust },
          `environment ${environment.name} now trusts the cluster at ${server} and no other`,
        );
      }
      default:
        return pick(app);
    }
  },
});

async function pick(app: App): Promise<void> {
  if (!app.ui.interactive)
    refuse('choosing an environment needs a terminal', 'npm run env use <environment>');
  app.ui.say(app.ui.colors.dim('querying the clusters'));
  const environments = await probeAll(app);
  const lines = toLines(environments, app.ui.colors, (each) => each.name);
  const choices = environments.map((each, at) => ({
    value: each.name,
    line: `${lines[at]}${each.chosen ? '  chosen' : ''}`,
    words: `${each.name} ${each.cluster ?? ''}`,
    description: toDescription(each),
  }));
  const chosen = await findChosenEnvironment(app.paths);
  const name = await app.choose('Environment of this checkout', choices, chosen);
  await use(app, await app.environment({ name }));
}

async function use(app: App, environment: Environment): Promise<void> {
  const { name } = environment;
  await ensureStateFolder(app.paths);
  await chooseEnvironment(app.paths, name);
  const allowed = isLocal(environment) ? 'everything' : 'reading';
  const isTrusted = isLocal(environment) || (await findTrust(app.paths, name)) !== undefined;
  const next = isTrusted ? '' : `; to record the identity of its cluster: npm run env trust ${name}`;
  app.ui.result(
    { version: 1, environment: name, allowed },
    `switched to environment ${name}${allowed === 'reading' ? ', read-only' : ''}${next}`,
  );
}

async function show(app: App, environment: Environment): Promise<void> {
  const [chosen, trust] = await Promise.all([
    findChosenEnvironment(app.paths),
    findTrust(app.paths, environment.name),
  ]);
  const allowed = isLocal(environment) ? 'everything' : 'reading';
  app.ui.result(
    { version: 1, ...environment, chosen: environment.name === chosen, allowed, trust },
    describeEnvironment(environment, trust, app.ui.resultColors),
  );
}

/** Probes all environments at the same time; those on this machine come first. */
async function probeAll(app: App): Promise<readonly ProbedEnvironment[]> {
  const [names, chosen] = await Promise.all([
    listEnvironments(app.paths.checkout),
    findChosenEnvironment(app.paths),
  ]);
  const environments = await Promise.all(names.map((name) => app.environment({ name })));
  const ordered = [...environments.filter(isLocal), ...environments.filter((each) => !isLocal(each))];
  return Promise.all(ordered.map((each) => probeEnvironment(app, each, each.name === chosen)));
}

function requireName(name: string | undefined, action: string): string {
  return name ?? refuse(`${action} requires an environment`, `npm run env ${action} <environment>`);
}

function refuse(message: string, hint: string): never {
  throw new Failure(message, { hint, exitCode: exitCodes.usage });
}
