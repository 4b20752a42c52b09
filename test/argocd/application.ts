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

/** The text of a chart's Application: they differ by name and wave alone. */
export function toApplicationText(chart: string, wave: number): string {
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
    repoURL: https://github.com/wealist/wealist-local.git
    targetRevision: main
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
