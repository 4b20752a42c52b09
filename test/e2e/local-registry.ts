import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { packArchive } from '../../src/images/store/archive.ts';
import { packLayer } from '../../src/images/store/layer.ts';
import type { Store } from '../../src/images/store/store.ts';
import { type Digest, type Image, toImageConfig } from '../../src/lib/oci.ts';
import type { Docker } from '../../src/tools/docker/docker.ts';
import { exec } from '../../src/tools/exec.ts';

export interface LocalRegistry {
  /** Host and port. */
  readonly address: string;
  /** Builds an image with one file of this content and pushes it as `repository:tag`. */
  push(name: string, content: string): Promise<{ readonly digest: Digest; readonly image: Image }>;
  /** Deletes a manifest; its tags are then not found. */
  deleteManifest(repository: string, digest: Digest): Promise<void>;
  stop(): Promise<void>;
}

export interface LocalRegistryDeps {
  /** Path of the registry program. */
  readonly program: string;
  /** An empty folder for the registry's data. */
  readonly folder: string;
  readonly docker: Docker;
  readonly store: Store;
  readonly architecture: string;
}

/** Starts a real registry on a free port of 127.0.0.1. */
export async function startRegistry(deps: LocalRegistryDeps): Promise<LocalRegistry> {
  const { program, folder, docker, store, architecture } = deps;
  const address = `127.0.0.1:${await findFreePort()}`;
  const settings = {
    version: 0.1,
    log: { level: 'error' },
    storage: { filesystem: { rootdirectory: join(folder, 'data') }, delete: { enabled: true } },
    http: { addr: address },
  };
  // JSON is valid YAML.
  await writeFile(join(folder, 'registry.yaml'), JSON.stringify(settings));
  const log = await open(join(folder, 'registry.log'), 'a');
  const child = spawn(program, ['serve', join(folder, 'registry.yaml')], {
    env: { ...process.env, OTEL_TRACES_EXPORTER: 'none' },
    stdio: ['ignore', log.fd, log.fd],
  });
  await log.close();
  await waitUntilReachable(address, child);

  return {
    address,

    async push(name, content) {
      const layers = [await store.putBlob(packLayer([{ path: 'content', content }]))];
      const image = { layers, config: toImageConfig(layers, { Cmd: ['none'] }, architecture) };
      const reference = `${address}/${name}`;
      await docker.loadImages(packArchive(store, [{ reference, image }]));
      await exec('docker', ['push', reference], { env: docker.env });
      const digest = await docker.getRemoteDigest(reference);
      await docker.removeImage(reference);
      return { digest, image };
    },

    async deleteManifest(repository, digest) {
      const response = await fetch(`http://${address}/v2/${repository}/manifests/${digest}`, {
        method: 'DELETE',
      });
      if (!response.ok) throw new Error(`cannot delete the manifest of ${repository}: ${response.status}`);
    },

    async stop() {
      if (child.exitCode !== null) return;
      child.kill();
      await once(child, 'exit');
    },
  };
}

async function waitUntilReachable(address: string, child: ChildProcess): Promise<void> {
  for (let attempts = 100; attempts > 0; attempts -= 1) {
    if (child.exitCode !== null) throw new Error(`the registry exited with ${child.exitCode}`);
    const isReachable = await fetch(`http://${address}/v2/`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isReachable) return;
    await sleep(100);
  }
  throw new Error(`the registry on ${address} did not respond within 10 s`);
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
