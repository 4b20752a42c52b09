import { toAge } from '../../lib/age.ts';
import { type Colors, toSymbol } from '../../ui/style.ts';
import { toTable } from '../../ui/table.ts';
import { toClusterWords } from '../context/cluster-state.ts';
import type { ComponentReport, StatusReport } from '../context/status/status-report.ts';

/** The report as text: the cluster, a line per component, the command to run next. `now` in milliseconds. */
export function describeStatus(report: StatusReport, colors: Colors, now: number): string {
  const { parts, next } = report;
  return [
    describeCluster(report, colors),
    ...describeIngress(report, colors),
    ...describeExtras(report, colors),
    ...(parts.length === 0 ? [] : ['', describeComponents(parts, colors, now)]),
    ...describeStale(parts, colors),
    ...(next === undefined ? [] : ['', `  ${colors.dim('next')}  ${next}`]),
  ].join('\n');
}

const notEnforced = "network policies are not enforced by this cluster's network";

function describeCluster({ cluster, environment, namespace }: StatusReport, colors: Colors): string {
  const isHealthy = cluster.state === 'running' && cluster.nodes.every(({ ready }) => ready);
  const symbol = toSymbol(isHealthy ? 'done' : 'failed', colors);
  const nodes = cluster.nodes.map(
    ({ name, type, ready, version }) =>
      `node ${name}${type === undefined ? '' : ` (${type})`} ${ready ? 'ready' : 'not ready'}${version === undefined ? '' : `, Kubernetes ${version}`}`,
  );
  const { state } = cluster.networkPolicies ?? {};
  const server = cluster.server === undefined ? [] : [`${cluster.server}, read-only`];
  const notes = [
    `environment ${environment}`,
    `namespace ${namespace}`,
    ...server,
    ...nodes,
    ...(state === undefined || state === 'not enforced' ? [] : [`network policies: ${state}`]),
  ];
  return [
    `${symbol} ${colors.bold(`cluster ${cluster.name} ${toClusterWords(cluster.state)}`)}  ${colors.dim(notes.join(', '))}`,
    ...(cluster.evidence === undefined ? [] : [`  ${colors.dim('because')}  ${cluster.evidence}`]),
    ...(state === 'not enforced' ? [`${toSymbol('pointer', colors)} ${notEnforced}`] : []),
  ].join('\n');
}

function describeIngress({ ingress }: StatusReport, colors: Colors): readonly string[] {
  if (!ingress) return [];
  const { url, answers, status, evidence } = ingress;
  const detail = status === undefined ? (evidence ?? 'does not respond') : `responds with ${status}`;
  return [
    `${toSymbol(answers ? 'done' : 'failed', colors)} ${colors.bold('ingress')} ${url} ${colors.dim(detail)}`,
  ];
}

function describeExtras({ extras }: StatusReport, colors: Colors): readonly string[] {
  return extras.map(({ name, lacking }) => {
    const without = lacking.length === 0 ? '' : `without ${lacking.join(', ')}, which can only be pulled`;
    return `${toSymbol('done', colors)} ${colors.bold(`with ${name}`)} ${colors.dim(without)}`.trimEnd();
  });
}

function describeComponents(parts: readonly ComponentReport[], colors: Colors, now: number): string {
  const rows = parts.map((part) => [
    `  ${toSymbol(part.state === 'ready' ? 'done' : part.state === 'waiting' ? 'pointer' : 'failed', colors)} ${part.name}`,
    part.state === 'absent' ? '' : `${part.ready}/${part.wanted}`,
    colors.dim(toShortImage(part)),
    describeFreshness(part, colors),
    part.restarts === 0
      ? ''
      : colors.yellow(`${part.restarts} ${part.restarts === 1 ? 'restart' : 'restarts'}`),
    colors.dim(part.created === undefined ? '' : toAge(now - Date.parse(part.created))),
    describeState(part, colors),
  ]);
  return toTable(
    rows,
    ['    name', 'ready', 'image', '', '', 'age', 'address, or why not ready'].map(colors.dim),
  );
}

function describeFreshness({ freshness }: ComponentReport, colors: Colors): string {
  if (!freshness) return '';
  const { state } = freshness;
  if (state === 'stale') return colors.yellow('STALE');
  return state === 'live' ? colors.cyan(state) : colors.dim(state);
}

/** Services that do not run an image of their current source, each with the reason. */
function describeStale(parts: readonly ComponentReport[], colors: Colors): readonly string[] {
  const notes = parts.flatMap(({ name, freshness }) =>
    freshness === undefined || freshness.state === 'fresh' ? [] : [`${name}: ${freshness.line}`],
  );
  return notes.length === 0 ? [] : ['', ...notes.map((note) => `  ${colors.yellow(note)}`)];
}

/** Address of a ready component, or why it is not ready. */
function describeState({ state, address, line, note, intercepted }: ComponentReport, colors: Colors): string {
  if (state === 'ready') {
    return [
      address && colors.cyan(address),
      intercepted && colors.yellow(intercepted),
      note && colors.dim(note),
    ]
      .filter(Boolean)
      .join('  ');
  }
  if (state === 'absent') return 'not deployed';
  return state === 'failed' ? colors.red(line) : colors.yellow(line);
}

/** The tag, or the first digits of the digest or image ID. */
function toShortImage({ image = '', imageId = '' }: ComponentReport): string {
  const [name = '', digest = ''] = image.split('@');
  const [, tag] = /:([^/:]+)$/.exec(name) ?? [];
  return tag ?? (digest || imageId).replace(/^sha256:/, '').slice(0, 12);
}
