import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseManifests } from '../helm/helm.ts';

export const checkout = join(import.meta.dirname, '../..');
export const folder = join(checkout, 'argocd/apps');

/** The fields of an Application that these tests read. */
export interface Application {
  readonly kind: 'Application';
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly project: string;
    readonly source: {
      readonly repoURL: string;
      readonly targetRevision: string;
      readonly path: string;
      readonly helm?: {
        readonly releaseName: string;
        readonly valueFiles: readonly string[];
        readonly valuesObject?: object;
      };
    };
    readonly destination: { readonly server: string; readonly namespace: string };
    readonly syncPolicy: object;
  };
}

export interface Project {
  readonly kind: 'AppProject';
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: {
    readonly sourceRepos: readonly string[];
    readonly destinations: readonly object[];
    readonly clusterResourceWhitelist: readonly { readonly group: string; readonly kind: string }[];
  };
}

type Any = Application | Project;

/** All of argocd/apps by file. */
export async function readApps(): Promise<ReadonlyMap<string, Any>> {
  const files = (await readdir(folder)).sort();
  const entries = files.map(async (file) => {
    const [manifest] = parseManifests(await readFile(join(folder, file), 'utf8'));
    return [file, manifest as unknown as Any] as const;
  });
  return new Map(await Promise.all(entries));
}

/** Those that deploy a chart; the root aside. */
export function listCharts(apps: ReadonlyMap<string, Any>): readonly Application[] {
  return [...apps.values()].filter(
    (app): app is Application => 'source' in app.spec && 'helm' in app.spec.source,
  );
}

export function getProject(apps: ReadonlyMap<string, Any>): Project {
  const found = [...apps.values()].find((app): app is Project => app.kind === 'AppProject');
  if (!found) throw new Error('there is no AppProject');
  return found;
}
