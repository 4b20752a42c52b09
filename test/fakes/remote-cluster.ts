import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { environment } from './app.ts';
import { makeClusterFolder, writeObjects } from './cluster-folder.ts';

const { cluster: _, ...common } = environment;

/** An environment with a remote cluster. */
export const dev = { ...common, name: 'dev', namespace: 'wealist-dev', context: 'my-dev' };

export interface RemoteOptions {
  readonly server?: string;
  readonly uid?: string;
  readonly user?: object;
  readonly context?: string;
}

/** A state folder without a local cluster. The remote cluster is the one that `set` describes. */
export async function makeRemote(objects: readonly object[] = []) {
  const state = await makeClusterFolder();
  // This folder has the private copy of the kubeconfig and the state of the fake cluster.
  const remote = join(state, 'remote');
  const kubeconfig = join(state, 'of-the-user');
  const before = process.env.KUBECONFIG;
  process.env.KUBECONFIG = kubeconfig;
  onTestFinished(() => {
    if (before === undefined) delete process.env.KUBECONFIG;
    else process.env.KUBECONFIG = before;
  });

  /** Writes the user's kubeconfig and the identity of its cluster. */
  async function set({
    server = 'https://dev.example',
    uid = 'uid-dev',
    user = { token: 'a-token-of-the-user' },
    context = 'my-dev',
  }: RemoteOptions = {}): Promise<void> {
    const config = {
      'current-context': 'prod',
      contexts: [{ name: context, context: { cluster: 'c', user: 'u' } }],
      clusters: [{ name: 'c', cluster: { server, 'certificate-authority-data': 'Q0E=' } }],
      users: [{ name: 'u', user }],
    };
    await writeFile(kubeconfig, JSON.stringify(config));
    const system = { kind: 'Namespace', metadata: { name: 'kube-system', uid } };
    await writeFile(join(remote, 'kube-system.json'), JSON.stringify(system));
  }

  await mkdir(remote);
  await writeObjects(remote, objects);
  await set();
  return { state, remote, kubeconfig, set };
}
