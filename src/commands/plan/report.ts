import type { Comparison, Rendering } from '../../diff/compare.ts';
import { withoutSecrets } from '../../diff/manifest.ts';
import type { NodeFit } from '../../plans/node-fit.ts';
import type { OutsideObject } from './outside.ts';

/** What `plan` found, for the person and, with the manifests, for a program. */
export interface PlanReport {
  readonly version: 1;
  readonly environment: string;
  readonly namespace: string;
  readonly comparison: Comparison & {
    /** The cluster; undefined where none could be asked. */
    readonly with: string | undefined;
    /** Why none could be asked. */
    readonly reason: string | undefined;
  };
  readonly outside: readonly OutsideObject[];
  readonly nodes: NodeFit | undefined;
  /** Images whose names are not known yet. */
  readonly unbuilt: readonly string[];
  /** Files that were written. */
  readonly written: readonly string[];
}

/** Whether a deploy would change anything; undefined where nothing was compared. */
export function hasDifferences({ comparison }: PlanReport): boolean | undefined {
  if (comparison.with === undefined) return undefined;
  return comparison.objects.some(({ change }) => change !== 'same');
}

/** The same for a program, with the manifests; Secrets without their values. */
export function toPlanValue(report: PlanReport, renderings: readonly Rendering[]): object {
  const releases = renderings.map(({ manifests, ...release }) => ({
    ...release,
    manifests: manifests.map(withoutSecrets),
  }));
  return { ...report, differs: hasDifferences(report), releases };
}
