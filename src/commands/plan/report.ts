import type { Comparison, Rendering } from '../../diff/compare.ts';
import { withoutSecrets } from '../../diff/manifest.ts';
import type { NodeFit } from '../../plans/node-fit.ts';
import type { OutsideObject } from './outside.ts';

/** The result of `plan`, for its text and, with the manifests, for its JSON. */
export interface PlanReport {
  readonly version: 1;
  readonly environment: string;
  readonly namespace: string;
  readonly comparison: Comparison & {
    /** The cluster; undefined without a comparison. */
    readonly with: string | undefined;
    /** Why there was no comparison. */
    readonly reason: string | undefined;
  };
  readonly outside: readonly OutsideObject[];
  readonly nodes: NodeFit | undefined;
  /** Images that are not built or pulled yet. */
  readonly unbuilt: readonly string[];
  /** Files that were written. */
  readonly written: readonly string[];
}

/** Whether a deployment would change anything; undefined without a comparison. */
export function hasDifferences({ comparison }: PlanReport): boolean | undefined {
  if (comparison.with === undefined) return undefined;
  return comparison.objects.some(({ change }) => change !== 'same');
}

/** The report as JSON, with the manifests; Secrets without their values. */
export function toPlanValue(report: PlanReport, renderings: readonly Rendering[]): object {
  const releases = renderings.map(({ manifests, ...release }) => ({
    ...release,
    manifests: manifests.map(withoutSecrets),
  }));
  return { ...report, differs: hasDifferences(report), releases };
}
