import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openStore } from '../../src/images/store/store.ts';
import type { Checkout } from './checkout.ts';
import { docker, nodeOf } from './cluster.ts';

/** What belongs to another checkout of the same user: no command of ours may change it. */
export interface OtherCheckout {
  /** Folders, cached image and stopped cluster, as text that changes with any of them. */
  describe(): Promise<string>;
  remove(): Promise<void>;
}

const day = 24 * 60 * 60 * 1000;

/** @param cacheHome the XDG_CACHE_HOME that both checkouts have */
export async function makeOtherCheckout(checkout: Checkout, cacheHome: string): Promise<OtherCheckout> {
  const name = `${checkout.name}-other`;
  const data = join(checkout.data, '..', name);
  const state = join(checkout.folder, 'other-state');
  const files: Readonly<Record<string, string>> = {
    [join(data, 'volumes/wealist-kind-local/data-postgres-0/PG_VERSION')]: '17\n',
    [join(data, 'secrets.yaml')]: '{"shared":{"secrets":{"DB_PASSWORD":"of the other checkout"}}}\n',
    [join(data, 'owners/0123456789abcdef/checkout')]: '{"version":1}\n',
    [join(data, 'snapshots/theirs/snapshot.json')]: '{"version":1}\n',
    [join(state, 'cluster.json')]: `{"version":1,"name":"${name}"}\n`,
    [join(state, 'kubeconfig')]: 'kind: Config\n',
  };
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, text);
  }

  // A service's image that the other checkout has used a week ago.
  const store = openStore(join(cacheHome, 'wealist-local'));
  const layer = await store.putBlob(bytesOf('layer of the other checkout'));
  const key = 'service-other-service-0123456789abcdef';
  await store.putImage(key, { config: '{}', layers: [layer] });
  const lastWeek = new Date(Date.now() - 7 * day);
  await utimes(join(cacheHome, 'wealist-local/images', `${key}.json`), lastWeek, lastWeek);

  // Created and never started, it has the label and the mount of a cluster of kind.
  const [image = ''] = await docker('inspect', '--format={{.Config.Image}}', nodeOf(checkout.name));
  const label = `--label=io.x-k8s.kind.cluster=${name}`;
  const mount = `--volume=${join(data, 'volumes')}:/var/local-path-provisioner`;
  const [container = ''] = await docker('create', `--name=${nodeOf(name)}`, label, mount, image);

  return {
    async describe() {
      const cached = (await store.findImage(key)) === undefined ? 'removed' : 'cached';
      const states = await docker('inspect', '--format={{.State.Status}}', container).catch(() => [
        'removed',
      ]);
      const folders = await Promise.all([data, state].map(hashFolder));
      return [...folders, cached, ...states].join(' ');
    },
    async remove() {
      await docker('rm', '--force', '--volumes', container);
    },
  };
}

/** Hash of all paths and contents. */
async function hashFolder(folder: string): Promise<string> {
  const hash = createHash('sha256');
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const file of files.toSorted()) hash.update(`${file}\n`).update(await readFile(file));
  return hash.digest('hex').slice(0, 16);
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
