import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { ApiReader } from '../tools/kubernetes/api-server.ts';
import { type Manifest, parseManifests } from './manifest.ts';

interface StoredRelease {
  readonly metadata: { readonly labels?: Readonly<Record<string, string>> };
  readonly data?: { readonly release?: string };
}

/**
 * The manifests that Helm deployed last in a namespace by release name, from Helm's release Secrets.
 * @throws {ApiFailure} when reading these is forbidden.
 */
export async function readDeployedManifests(
  api: Pick<ApiReader, 'get'>,
  namespace: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly Manifest[]>> {
  const selector = encodeURIComponent('owner=helm,status=deployed');
  const { items } = await api.get<{ readonly items: readonly StoredRelease[] }>(
    `/api/v1/namespaces/${namespace}/secrets?labelSelector=${selector}`,
    signal,
  );
  const releases = await Promise.all(
    items.map(async ({ metadata, data }) => {
      const { name = '' } = metadata.labels ?? {};
      return [name, await decode(data?.release ?? '')] as const;
    }),
  );
  return new Map(releases);
}

/** A release is gzipped and base64-encoded by Helm, and encoded again as a Secret's value. */
async function decode(release: string): Promise<readonly Manifest[]> {
  const packed = Buffer.from(Buffer.from(release, 'base64').toString('latin1'), 'base64');
  const { manifest } = JSON.parse((await promisify(gunzip)(packed)).toString('utf8'));
  return parseManifests(String(manifest));
}
