import type { Environment, NodeType } from '../../config/schema.ts';
import type { Trust } from '../../state/trust.ts';
import { type Colors, symbols } from '../../ui/style.ts';
import { toTable } from '../../ui/table.ts';
import { isLocal } from '../context/environment.ts';
import type { ProbedEnvironment } from './probe.ts';

/** What the commands may do in an environment, as text. */
const allowed = {
  everything: 'everything',
  reading: 'remote, read-only: status, logs, plan, why',
} as const satisfies Record<ProbedEnvironment['allowed'], string>;

/** One line per environment, with the columns name, cluster, state, deployed services, allowed commands. */
export function toLines(
  environments: readonly ProbedEnvironment[],
  colors: Colors,
  toTitle: (environment: ProbedEnvironment) => string,
): readonly string[] {
  const rows = environments.map((each) => [
    colors.bold(toTitle(each)),
    toCluster(each),
    toState(each, colors),
    toDeployed(each),
    colors.dim(allowed[each.allowed]),
  ]);
  return rows.length === 0 ? [] : toTable(rows).split('\n');
}

export function describeEnvironments(environments: readonly ProbedEnvironment[], colors: Colors): string {
  const toTitle = ({ name, chosen }: ProbedEnvironment) => `${chosen ? symbols.pointer : ' '} ${name}`;
  const lines = toLines(environments, colors, toTitle).flatMap((line, at) => {
    const evidence = environments[at]?.evidence;
    return [line, ...(evidence === undefined ? [] : [`    ${colors.dim('because')}  ${evidence}`])];
  });
  return [...lines, '', colors.dim('to choose one: npm run env use <name>')].join('\n');
}

/** How to make an untrusted environment readable, or what is known about another one. */
export function toDescription({ name, state, namespace, evidence }: ProbedEnvironment): string {
  if (state === 'untrusted') return `to record the identity of its cluster: npm run env trust ${name}`;
  return evidence ?? `namespace ${namespace}`;
}

function toCluster({ cluster, here }: ProbedEnvironment): string {
  if (here) return `kind cluster ${cluster}`;
  return cluster === undefined ? 'no kube context' : `kube context ${cluster}`;
}

function toState({ state }: ProbedEnvironment, colors: Colors): string {
  if (state === 'answers') return colors.green('reachable');
  const words = {
    silent: 'does not respond',
    stopped: 'stopped',
    paused: 'paused',
    missing: 'not created',
    untrusted: 'not trusted yet',
    refused: 'not the trusted cluster',
    unknown: 'unknown',
  } as const;
  return state === 'refused' ? colors.red(words[state]) : colors.yellow(words[state]);
}

function toDeployed({ deployed }: ProbedEnvironment): string {
  if (!deployed) return '';
  const { services, ready } = deployed;
  if (services === 0) return 'nothing deployed';
  return `${services} ${services === 1 ? 'service' : 'services'}, ${ready} ready`;
}

/** What is known about an environment without connecting to its cluster. */
export function describeEnvironment(
  environment: Environment,
  trust: Trust | undefined,
  colors: Colors,
): string {
  const { name, namespace, services, nodes = {} } = environment;
  const rows = [
    ['environment', name],
    ['namespace', namespace],
    ...(isLocal(environment)
      ? [['cluster', `kind cluster ${environment.cluster.name}, on this machine`]]
      : describeTrust(environment, trust)),
    ['allowed', allowed[isLocal(environment) ? 'everything' : 'reading']],
    ...describeNodes(nodes.app, 'app'),
    ...describeNodes(nodes.db, 'db'),
    ['services', Object.keys(services).join(', ')],
  ];
  return toTable(rows.map(([title = '', ...cells]) => [colors.dim(title), ...cells]));
}

function describeNodes(type: NodeType | undefined, role: string): readonly string[][] {
  if (!type) return [];
  const { instance, count, cpu, memory } = type;
  return [[`${role} nodes`, `${count} × ${instance}: ${cpu} CPU and ${memory} each`]];
}

function describeTrust({ name, context }: Environment, trust: Trust | undefined): readonly string[][] {
  if (!trust) {
    const where = context === undefined ? 'not set' : context;
    return [
      ['kube context', where],
      ['trusted', `not yet: npm run env trust ${name}`],
    ];
  }
  return [['kube context', trust.context], ...describeFingerprint(trust.fingerprint)];
}

/** What identifies a cluster, for the user to confirm that it is the right one. */
export function describeFingerprint({ server, ca, uid, login }: Trust['fingerprint']): readonly string[][] {
  return [
    ['API address', server],
    ['CA', ca === 'system' ? 'trusted by this system' : `SHA-256 ${ca}`],
    ['kube-system', uid === undefined ? 'reading its UID is forbidden' : `UID ${uid}`],
    ...(login === undefined ? [] : [['login', `runs ${login.join(' ')}`]]),
  ];
}
