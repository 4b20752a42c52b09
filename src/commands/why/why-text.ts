import { type Colors, toSymbol } from '../../ui/style.ts';
import type { WhyReport } from '../context/why/why-report.ts';

type Cause = WhyReport['causes'][number];

/** The causes as text, each with its evidence, the affected components and the command to run next. */
export function describeWhy({ causes, line, next, cluster }: WhyReport, colors: Colors): string {
  if (causes.length > 0) return causes.map((cause) => describeCause(cause, colors)).join('\n\n');
  const symbol = toSymbol(cluster.state === 'running' ? 'done' : 'skipped', colors);
  return [`${symbol} ${line}`, ...(next === undefined ? [] : [toField('next', next, colors)])].join('\n');
}

function describeCause({ about, state, line, evidence, log, next, affects }: Cause, colors: Colors): string {
  const others = affects.filter((name) => name !== about);
  const who = about ?? others.join(', ');
  const affected = about === undefined ? [] : others;
  return [
    `${toSymbol(state === 'failed' ? 'failed' : 'pointer', colors)} ${colors.bold(toTitle(who, line))}`,
    ...(evidence === undefined ? [] : [toField('because', evidence, colors)]),
    ...(log === undefined ? [] : [toField('log', log, colors)]),
    ...(affected.length === 0 ? [] : [toField('affects', affected.join(', '), colors)]),
    ...(next === undefined ? [] : [toField('next', next, colors)]),
  ].join('\n');
}

/** `redis: scaled to 0 replicas`, unless the line contains the name. */
function toTitle(who: string, line: string): string {
  const isSaid = line.includes(who) || ['cluster', 'dns', 'ingress'].includes(who);
  return isSaid ? line : `${who}: ${line}`;
}

function toField(name: string, text: string, colors: Colors): string {
  const lines = text.split('\n');
  return lines
    .map((line, at) => `  ${at === 0 ? colors.dim(name.padEnd(9)) : ' '.repeat(9)}${line}`)
    .join('\n');
}
