import { inputsLabel } from '../lib/labels.ts';
import { type SharedAnswer, shareAnswer } from '../lib/share-answer.ts';
import type { ApiReader } from '../tools/kubernetes/api-server.ts';
import type { Metadata } from '../tools/kubernetes/objects.ts';

/** The newest revision of a release, as Helm's record in the cluster describes it. */
export interface Release {
  readonly name: string;
  readonly namespace: string;
  readonly revision: number;
  /** One of Helm's nine: `deployed`, `failed`, `pending-install`, `uninstalling`… */
  readonly status: string;
  /** Hash of the inputs that it was rendered from; undefined when another program installed it. */
  readonly inputs: string | undefined;
}

export type Releases = SharedAnswer<readonly Release[]>;

/** Every release of the cluster, from the Secrets in which Helm stores them: starting helm itself takes longer. */
export function createReleases(openApi: () => Promise<ApiReader>): Releases {
  return shareAnswer(async (signal) => toReleases(await listRecords(await openApi(), signal)));
}

async function listRecords(api: ApiReader, signal: AbortSignal): Promise<readonly Metadata[]> {
  const records = await api.getMetadata('/api/v1/secrets?labelSelector=owner%3Dhelm', signal);
  return records.map(({ metadata }) => metadata);
}

function toReleases(records: readonly Metadata[]): readonly Release[] {
  const newest = new Map<string, Release>();
  for (const { namespace = '', labels = {} } of records) {
    const { name = '', version, status = '', [inputsLabel]: inputs } = labels;
    const release = { name, namespace, revision: Number(version), status, inputs };
    const known = newest.get(`${namespace}/${name}`);
    if (!known || known.revision < release.revision) newest.set(`${namespace}/${name}`, release);
  }
  return [...newest.values()];
}
