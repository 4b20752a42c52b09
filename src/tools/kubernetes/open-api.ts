import { readFile } from 'node:fs/promises';
import type { Exec } from '../exec.ts';
import { type ApiServer, createApiServer } from './api-server.ts';
import { readKubeconfig } from './kubeconfig.ts';

/**
 * Opens the API server of a kube context: the same one, with its connections, until the kubeconfig changes, as when the
 * cluster was recreated. @throws as `readKubeconfig` does.
 */
export function createApiOpener(kubeconfig: string, context: string, exec: Exec): () => Promise<ApiServer> {
  let last: { readonly text: string | undefined; readonly api: Promise<ApiServer> } | undefined;
  return async () => {
    const text = await readFile(kubeconfig, 'utf8').catch(() => undefined);
    if (last === undefined || text === undefined || text !== last.text) {
      last = {
        text,
        api: readKubeconfig(kubeconfig, context, exec).then((access) => createApiServer(access)),
      };
    }
    return last.api;
  };
}
