import type { Manifest } from '../../diff/manifest.ts';
import type { OutsideReference } from '../../diff/references.ts';
import { secretRules } from '../../lib/secret-rules.ts';
import { ApiFailure, type ApiReader } from '../../tools/kubernetes/api-server.ts';

/** A Secret or ConfigMap that pods read and no chart creates, and whether it exists. */
export interface OutsideObject {
  readonly kind: OutsideReference['kind'];
  readonly name: string;
  readonly state: 'complete' | 'incomplete' | 'missing' | 'unknown';
  /** Keys that are missing or whose value is too short; never contains a value. */
  readonly problems: readonly string[];
}

const sharedSecret = 'wealist-shared-secret';

/** Checks in the cluster that each object exists and has its keys; `unknown` without a cluster. */
export async function checkOutside(
  references: readonly OutsideReference[],
  manifests: readonly Manifest[],
  namespace: string,
  ask: { readonly api: Pick<ApiReader, 'get'>; readonly signal: AbortSignal } | undefined,
): Promise<readonly OutsideObject[]> {
  return Promise.all(
    references.map(async ({ kind, name, keys }): Promise<OutsideObject> => {
      if (!ask) return { kind, name, state: 'unknown', problems: [] };
      const path = `/api/v1/namespaces/${namespace}/${kind.toLowerCase()}s/${encodeURIComponent(name)}`;
      try {
        const { data = {} } = await ask.api.get<{ readonly data?: Readonly<Record<string, string>> }>(
          path,
          ask.signal,
        );
        const problems =
          name === sharedSecret && kind === 'Secret'
            ? judgeSharedSecret(data, keys, manifests)
            : keys.filter((key) => data[key] === undefined).map((key) => `${key} is missing`);
        return { kind, name, state: problems.length === 0 ? 'complete' : 'incomplete', problems };
      } catch (error) {
        if (!(error instanceof ApiFailure) || error.status === undefined) throw error;
        if (error.status === 404) return { kind, name, state: 'missing', problems: [] };
        return { kind, name, state: 'unknown', problems: [error.message] };
      }
    }),
  );
}

/** Requires all keys that pods read by name and all keys of the platform, LiveKit's only if a server of it is configured. */
function judgeSharedSecret(
  data: Readonly<Record<string, string>>,
  keys: readonly string[],
  manifests: readonly Manifest[],
): readonly string[] {
  const config = manifests.find(
    ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'wealist-shared-config',
  )?.data as Readonly<Record<string, string>> | undefined;
  const hasLiveKit = Boolean(config?.LIVEKIT_HOST ?? config?.LIVEKIT_URL);
  const rules = Object.entries(secretRules).filter(([key]) => hasLiveKit || !key.startsWith('LIVEKIT_'));
  const least = new Map<string, number>([
    ...keys.map((key) => [key, 0] as const),
    ...rules.map(([key, rule]) => [key, rule.minBytes] as const),
  ]);
  return [...least].flatMap(([key, bytes]) => {
    const value = data[key];
    if (value === undefined) return [`${key} is missing`];
    const length = Buffer.from(value, 'base64').length;
    return length < bytes ? [`${key} has ${length} bytes, expected at least ${bytes}`] : [];
  });
}
