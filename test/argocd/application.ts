import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { toWaves } from '../../src/lib/waves.ts';

/** Sync waves by chart: the infrastructure, then each service after all that it needs, as `up` deploys them. */
export function toSyncWaves(
  services: Readonly<Record<string, { readonly needs: readonly string[] }>>,
): ReadonlyMap<string, number> {
  const waves = toWaves(Object.keys(services), (name) => services[name]?.needs ?? []);
  return new Map([
    ['wealist-infrastructure', 0],
    ...waves.flatMap((wave, at) => wave.map((name) => [name, at + 1] as const)),
  ]);
}

/** The file of a chart's Application. */
export const toApplicationFile = (chart: string) => `argocd/apps/${chart.replace(/^wealist-/, '')}.yaml`;

/** Where Argo CD takes the charts from. */
export interface GitSource {
  readonly repoURL: string;
  readonly targetRevision: string;
}

/** The repository and branch of a checkout's root Application, which all others have, too. */
export async function readGitSource(checkout: string): Promise<GitSource> {
  const root = await readFile(join(checkout, 'argocd/apps/root.yaml'), 'utf8');
  return parse(root).spec.source;
}

/** The text of a chart's Application: they differ by name and wave alone. */
export function toApplicationText(
  chart: string,
  wave: number,
  { repoURL, targetRevision }: GitSource,
): string {
  return `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: ${chart}
  namespace: argocd
  annotations:
    argocd.argoproj.io/sync-wave: "${wave}"
  finalizers: [resources-finalizer.argocd.argoproj.io]
spec:
  project: wealist
  source:
    repoURL: ${repoURL}
    targetRevision: ${targetRevision}
    path: helm/charts/${chart}
    helm:
      releaseName: ${chart}
      valueFiles:
        - ../../environments/base.yaml
        - ../../environments/dev.yaml
  destination:
    server: https://kubernetes.default.svc
    namespace: wealist-dev
  syncPolicy:
    automated: { prune: true, selfHeal: true }
    retry:
      limit: 5
      backoff: { duration: 10s, factor: 2, maxDuration: 3m }
`;
}
