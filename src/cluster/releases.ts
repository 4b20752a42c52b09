import { type SharedAnswer, shareAnswer } from '../lib/share-answer.ts';
import type { Kubectl } from '../tools/kubectl.ts';

/** What Helm's own record in the cluster says of a release's newest revision. */
export interface Release {
  readonly name: string;
  readonly namespace: string;
  readonly revision: number;
  /** `deployed`, `failed`, `pending-install`, `pending-upgrade`, `pending-rollback`… */
  readonly status: string;
  /** Hash of the inputs that it was rendered from; undefined when this tool did not make it. */
  readonly inputs: string | undefined;
}

/** The label on a release's record that holds the hash of its inputs. */
export const inputsLabel = 'wealist-inputs';

export type Releases = SharedAnswer<readonly Release[]>;

/** Every release of the cluster, from the records that Helm keeps as Secrets: helm itself takes longer to start. */
export function createReleases(kubectl: Kubectl): Releases {
  return shareAnswer((signal) => listReleases(kubectl, signal));
}

async function listReleases(kubectl: Kubectl, signal: AbortSignal): Promise<readonly Release[]> {
  const columns = ['namespace', 'labels.name', 'labels.version', 'labels.status', `labels.${inputsLabel}`];
  const rows = await kubectl.getRows(
    ['secrets', '--all-namespaces', '--selector=owner=helm'],
    columns.map((column) => `.metadata.${column}`),
    signal,
  );
  const newest = new Map<string, Release>();
  for (const [namespace = '', name = '', revision, status = '', inputs] of rows) {
    const release = {
      name,
      namespace,
      revision: Number(revision),
      status,
      inputs: inputs === '<none>' ? undefined : inputs,
    };
    const known = newest.get(`${namespace}/${name}`);
    if (!known || known.revision < release.revision) newest.set(`${namespace}/${name}`, release);
  }
  return [...newest.values()];
}
