import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import type { Snapshots } from '../diagnosis/snapshot.ts';
import { makeFolder } from '../lib/make-folder.ts';
import type { Step } from '../plan/plan.ts';
import type { ApiServer } from '../tools/kubernetes/api-server.ts';

export interface PrepareVolumesDeps {
  readonly openApi: () => Promise<ApiServer>;
  readonly snapshots: Snapshots;
  readonly namespace: string;
  /** Names of the volume claims that will be made. */
  readonly claims: readonly string[];
  /** The folder of this machine that has one folder per namespace and claim. */
  readonly volumes: string;
  /** The volume of a claim, as Kubernetes defines it. */
  readonly toVolume: (claim: string) => { readonly metadata: { readonly name: string } };
}

const path = '/api/v1/persistentvolumes';

/**
 * Claims that do not exist yet will find their volumes. The storage provisioner would start a pod for each to make its
 * folder, which takes as long as a data store itself; it still provides all other claims.
 */
export function prepareVolumes(deps: PrepareVolumesDeps): Step {
  const { openApi, snapshots, namespace, claims, volumes, toVolume } = deps;

  async function listMissing(signal: AbortSignal, maxAge: number): Promise<readonly string[]> {
    const snapshot = await snapshots.take(signal, { maxAge });
    return claims.filter((claim) => !snapshot.find('PersistentVolumeClaim', claim, namespace));
  }

  return {
    title: 'volumes',
    async isDone({ signal }) {
      return (await listMissing(signal, 1_000)).length === 0 && 'claimed';
    },
    async apply({ signal }) {
      const api = await openApi();
      await Promise.all(
        (await listMissing(signal, 0)).map(async (claim) => {
          const folder = join(volumes, namespace, claim);
          await makeFolder(folder);
          // The data store has a user of its own. Nobody else can enter the folder of the cluster's data.
          await chmodIfOwn(folder);
          const volume = toVolume(claim);
          if (await api.create(path, volume, signal)) return;
          // It was the volume of a claim that has been deleted, and would not become another one's.
          await api.remove(`${path}/${volume.metadata.name}`, signal);
          await api.create(path, volume, signal);
        }),
      );
    },
  };
}

/** The provisioner made the folder of an earlier cluster as root, with the same mode. */
async function chmodIfOwn(folder: string): Promise<void> {
  await chmod(folder, 0o777).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPERM') throw error;
  });
}
