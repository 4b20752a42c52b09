import type { Component } from '../../../diagnosis/component.ts';
import { type ComponentStatus, toComponentStatus } from '../../../diagnosis/component-status.ts';
import type { Snapshot } from '../../../diagnosis/snapshot.ts';
import type { ComponentReport } from './status-report.ts';

interface Found {
  readonly component: Component;
  readonly status: ComponentStatus;
}

/** Each component with its status. */
export function withStatus(snapshot: Snapshot, components: readonly Component[]): readonly Found[] {
  return components.map((component) => ({
    component,
    status: toComponentStatus(snapshot, component.workload),
  }));
}

/** What a component needs, and which of it is not ready. */
export function toNeeds(
  { needs }: Component,
  found: readonly Found[],
): Pick<ComponentReport, 'needs' | 'unmetNeeds'> {
  const unready = found.filter(({ status }) => status.state !== 'ready');
  const names = new Set(unready.map(({ component }) => component.name));
  return { needs, unmetNeeds: needs.filter((name) => names.has(name)) };
}
