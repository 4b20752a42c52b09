import type { ObjectChange, Rendering } from '../../diff/compare.ts';
import type { FieldChange } from '../../diff/fields.ts';
import { toTitle } from '../../diff/manifest.ts';
import type { NodeFit } from '../../plans/node-fit.ts';
import { type Colors, toSymbol } from '../../ui/style.ts';
import { toTable } from '../../ui/table.ts';
import type { OutsideObject } from './outside.ts';
import type { PlanReport } from './report.ts';

/** Longer values are truncated to this many characters. */
const longestValue = 70;

/** The report as text: each field that would change or, without a comparison, the objects that would be deployed. */
export function describePlan(report: PlanReport, renderings: readonly Rendering[], colors: Colors): string {
  const { environment, namespace, comparison, outside, nodes, unbuilt } = report;
  const count = renderings.reduce((total, { manifests }) => total + manifests.length, 0);
  return [
    `${colors.bold(`environment ${environment}`)}, namespace ${namespace}: ${renderings.length} releases, ${count} objects`,
    comparison.with === undefined
      ? `${toSymbol('skipped', colors)} not compared: ${comparison.reason}`
      : `compared with ${comparison.with}`,
    ...comparison.notes.map((note) => `${toSymbol('pointer', colors)} ${note}`),
    ...(unbuilt.length === 0
      ? []
      : [`${toSymbol('pointer', colors)} not built or pulled yet: ${unbuilt.join(', ')}`]),
    '',
    ...(comparison.with === undefined
      ? listObjects(renderings)
      : describeChanges(comparison.objects, colors)),
    ...outside.map((each) => describeOutside(each, colors)),
    ...(nodes ? describeNodes(nodes, colors) : []),
    ...(comparison.with === undefined ? [] : ['', summarize(comparison.objects)]),
  ]
    .join('\n')
    .replace(/\n{3,}/g, '\n\n');
}

function listObjects(renderings: readonly Rendering[]): readonly string[] {
  const rows = renderings.map(({ release, manifests }) => [
    `  ${release}`,
    manifests.map(toTitle).join(', '),
  ]);
  return rows.map(([release = '', objects]) => `${release.padEnd(26)}${objects}`);
}

function describeChanges(objects: readonly ObjectChange[], colors: Colors): readonly string[] {
  const releases = [...new Set(objects.map(({ release }) => release))];
  return releases.flatMap((release) => {
    const own = objects.filter((each) => each.release === release);
    const ofChange = (change: ObjectChange['change']) => own.filter((each) => each.change === change);
    const toNames = (list: readonly ObjectChange[]) =>
      list.map(({ kind, name }) => `${kind} ${name}`).join(', ');
    const added = ofChange('new');
    const gone = ofChange('gone');
    const lines = [
      ...(added.length === 0 ? [] : [colors.green(`  + ${toNames(added)}`)]),
      ...(gone.length === 0 ? [] : [colors.red(`  - ${toNames(gone)}`)]),
      ...ofChange('changed').flatMap((each) => describeChange(each, colors)),
      ...ofChange('refused').map(
        ({ kind, name, problem }) => `  ${toSymbol('failed', colors)} ${kind} ${name}: ${problem}`,
      ),
    ];
    return lines.length === 0 ? [] : [colors.bold(release), ...lines];
  });
}

function describeChange({ kind, name, fields }: ObjectChange, colors: Colors): readonly string[] {
  return [
    colors.yellow(`  ~ ${kind} ${name}`),
    ...fields.map(
      ({ path, before, after }) =>
        `      ${path}: ${colors.red(toShort(before))} → ${colors.green(toShort(after))}`,
    ),
  ];
}

function toShort(value: FieldChange['before']): string {
  if (value === undefined) return '(unset)';
  return value.length > longestValue ? `${value.slice(0, longestValue)}…` : value;
}

function describeOutside({ kind, name, state, problems }: OutsideObject, colors: Colors): string {
  const what = `${kind} ${name}, created outside the charts`;
  if (state === 'complete') return `${toSymbol('done', colors)} ${what}: present, with every key`;
  if (state === 'missing')
    return `${toSymbol('failed', colors)} ${what}: missing, and its pods would not start`;
  if (state === 'incomplete') return `${toSymbol('failed', colors)} ${what}: ${problems.join(', ')}`;
  const why = problems.length === 0 ? 'not checked' : `cannot be checked: ${problems.join(', ')}`;
  return `${toSymbol('skipped', colors)} ${what}: ${why}`;
}

function describeNodes({ least, most }: NodeFit, colors: Colors): readonly string[] {
  return [
    ...describePlacement(least, 'with the minimum number of pods', colors),
    ...(most
      ? describePlacement(most, 'with the maximum number of pods that autoscaling allows', colors)
      : []),
  ];
}

function describePlacement(
  { line, unplaced }: NodeFit['least'],
  when: string,
  colors: Colors,
): readonly string[] {
  const what = `nodes ${when}: ${line}`;
  if (unplaced.length === 0) return [`${toSymbol('done', colors)} ${what}`];
  const rows = unplaced.map(({ name, pods: count, request }) => [
    '   ',
    name,
    `${count} of its pods`,
    request,
  ]);
  return [`${toSymbol('failed', colors)} ${what}; no node has room for these`, toTable(rows)];
}

function summarize(objects: readonly ObjectChange[]): string {
  const words = {
    new: 'new',
    changed: 'changed',
    gone: 'removed',
    refused: 'rejected',
    same: 'unchanged',
  } as const;
  const counts = (Object.keys(words) as (keyof typeof words)[])
    .map((change) => [objects.filter((each) => each.change === change).length, words[change]] as const)
    .filter(([count]) => count > 0);
  return counts.map(([count, word]) => `${count} ${word}`).join(', ');
}
