import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeTemporaryFolder } from '../temporary-folder.ts';

/** A state folder that is also the fake cluster of `kubectl.js`. */
export async function makeClusterFolder({
  httpPort = 80,
  server = 'http://127.0.0.1:1',
  record: more = {},
} = {}): Promise<string> {
  const state = await makeTemporaryFolder();
  await Promise.all(['bin', 'logs'].map((name) => mkdir(join(state, name))));
  await symlink(join(import.meta.dirname, 'kubectl.js'), join(state, 'bin/kubectl'));
  await writeKubeconfig(state, server);
  await writeObjects(state, []);
  const record = { version: 1, name: 'wealist', httpPort, httpsPort: 443, controller: 'traefik', ...more };
  await writeFile(join(state, 'cluster.json'), JSON.stringify(record));
  return state;
}

/** The private kubeconfig of a cluster that has its API server here. */
export async function writeKubeconfig(state: string, server: string): Promise<void> {
  await writeFile(join(state, 'kubeconfig'), toKubeconfig(server));
}

/** Makes these the objects of the fake cluster. */
export async function writeObjects(state: string, objects: readonly object[]): Promise<void> {
  await writeFile(join(state, 'objects.json'), JSON.stringify(objects));
}

/** JSON is valid YAML. */
function toKubeconfig(server: string): string {
  const name = 'kind-wealist';
  return JSON.stringify({
    contexts: [{ name, context: { cluster: name, user: name } }],
    clusters: [{ name, cluster: { server } }],
    users: [{ name, user: {} }],
  });
}
