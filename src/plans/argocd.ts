import type { Environment } from '../config/schema.ts';
import { type Selection, selectServices } from '../config/services.ts';
import { toTryOutValues } from '../config/values.ts';
import type { Plan, Step } from '../plan/plan.ts';
import { applyDefinitions } from '../steps/apply-definitions.ts';
import { applySecret } from '../steps/apply-secret.ts';
import { ensureDefinitions } from '../steps/ensure-definitions.ts';
import { pushCommit, requireCommit, syncedFolders } from '../steps/push-commit.ts';
import { removeApplications } from '../steps/remove-applications.ts';
import { syncApplications } from '../steps/sync-applications.ts';
import { createGitServer } from '../tools/git-server.ts';
import { argocdNamespace, tryOutNamespace } from './extras.ts';
import { requireFound, type UpChoice, type UpDeps } from './up-deps.ts';

/** The Application that renders the others, from argocd/try-out. */
const rootName = 'wealist-try-out';
const infrastructureName = 'wealist-infrastructure';
/** The same as in argocd/try-out/values.yaml. */
const repository = 'git://git.argocd.svc/wealist.git';
const title = 'Argo CD';

/** The services that Argo CD syncs, with what they need. @throws {Failure} for an unknown name. */
export function selectTryOut(environment: Environment): Selection {
  return selectServices(environment, environment.argocd.services);
}

/** What Argo CD needs before the cluster exists. */
export function obtainArgocd({ store, go, git }: UpDeps): readonly Step[] {
  return [requireCommit(git), ensureDefinitions({ store, go })];
}

/** A note about uncommitted changes of charts, which Argo CD does not sync. */
export async function describeUncommitted({ git }: UpDeps, signal: AbortSignal): Promise<readonly string[]> {
  // Throws when the checkout has no commit at all.
  await git.readHead(syncedFolders, signal);
  const paths = await git.listUncommitted(syncedFolders, signal);
  if (paths.length === 0) return [];
  const rest = paths.length > 1 ? ` and ${paths.length - 1} more` : '';
  return [`uncommitted, so not synced by Argo CD: ${paths[0]}${rest}`];
}

/** Before its release: the resource definitions of the release's objects. */
export function prepareArgocd({ toolchain, store }: UpDeps): Plan {
  return [{ title, steps: [applyDefinitions({ kubectl: toolchain.kubectl, store })] }];
}

/** After its release: pushes what Argo CD syncs, and waits until it has synced. */
export function syncArgocd(environment: Environment, deps: UpDeps, choice: UpChoice): Plan {
  const { snapshots, git } = deps;
  const { kubectl } = deps.toolchain;
  const server = createGitServer(kubectl, argocdNamespace);
  const selection = selectTryOut(environment);
  const names = [infrastructureName, ...selection.services];

  async function toRoot() {
    const images = await Promise.all([
      ...selection.infrastructure.map((name) => requireFound(deps.chain.find(name), name)),
      ...selection.services.map(async (name) => {
        return { name, ...(await requireFound(deps.serviceImages.find(name), name)) };
      }),
    ]);
    const services = Object.keys(environment.services).map((name) => [
      name,
      selection.services.includes(name),
    ]);
    const stores = selection.infrastructure.map((name) => [name, true]);
    const values = toTryOutValues({
      images: Object.fromEntries(images.map(({ name, reference }) => [name, reference])),
      services: Object.fromEntries(services),
      infrastructure: Object.fromEntries(stores),
    });
    const fromSource = selection.services.filter((name) => choice.fromSource.has(name));
    return toRootApplication({ applications: names, fromSource, values });
  }

  return [
    {
      title,
      steps: [
        applySecret({
          kubectl,
          namespace: tryOutNamespace,
          name: 'wealist-shared-secret',
          file: choice.secrets,
        }),
        pushCommit({ git, server }),
      ],
    },
    {
      title,
      steps: [syncApplications({ kubectl, snapshots, server, root: toRoot, names, target: tryOutNamespace })],
    },
  ];
}

/** After its release is uninstalled: removes what that leaves in the cluster, except its namespaces. */
export function removeArgocd({ toolchain }: UpDeps): Plan {
  return [{ title: 'Remove argocd', steps: [removeApplications(toolchain.kubectl, argocdNamespace)] }];
}

/** The only Application that `up` creates. It renders the chart in argocd/try-out with these values. */
function toRootApplication(valuesObject: object) {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: rootName, namespace: argocdNamespace },
    spec: {
      project: 'default',
      source: {
        repoURL: repository,
        targetRevision: 'main',
        path: 'argocd/try-out',
        helm: { valuesObject },
      },
      destination: { server: 'https://kubernetes.default.svc', namespace: argocdNamespace },
      syncPolicy: { automated: { prune: true, selfHeal: true } },
    },
  };
}
