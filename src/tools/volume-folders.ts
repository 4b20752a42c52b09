import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../lib/failure.ts';
import { measureFolder } from './disk.ts';
import type { Exec } from './exec.ts';

/** Runs a program as root in a container that sees `folder` as `/data`. Resolves to its standard output. */
export type RunInContainer = (
  folder: string,
  argv: readonly string[],
  signal: AbortSignal,
) => Promise<string>;

export interface Volume {
  /** `<namespace>/<claim>` */
  readonly name: string;
  /** Bytes on the disk; undefined when this user may not know. */
  readonly bytes: number | undefined;
}

/**
 * The folders of a cluster's volumes. The data stores run as users of their own and let no other one in, so what this
 * user may not do is done in a container, with the rights that made them.
 */
export interface VolumeFolders {
  measure(signal: AbortSignal): Promise<readonly Volume[]>;
  /** Erases all volumes. @throws {Failure} when neither this user nor a container may; what is left can be erased again. */
  erase(signal: AbortSignal): Promise<void>;
}

/** The volumes of the cluster whose data folder is `data`. Without `run`, no container can be used. */
export function createVolumeFolders(
  data: string,
  { exec, run }: { readonly exec: Exec; readonly run: RunInContainer | undefined },
): VolumeFolders {
  const volumes = join(data, 'volumes');

  async function measureOne(name: string, signal: AbortSignal): Promise<Volume> {
    try {
      return { name, bytes: await measureFolder(exec, join(volumes, name), signal) };
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Failure)) throw error;
      return { name, bytes: undefined };
    }
  }

  async function measureInContainer(signal: AbortSignal): Promise<readonly Volume[]> {
    if (!run) return [];
    // Files vanish while their store runs, and du then ends with 1 although its sizes are right.
    const script = 'cd /data/volumes && du -sk -- */* 2>/dev/null; true';
    const output = await run(data, ['sh', '-c', script], signal).catch((error) => {
      signal.throwIfAborted();
      if (!(error instanceof Failure)) throw error;
      return '';
    });
    const lines = output.split('\n').flatMap((line) => {
      const [kilobytes, name] = line.split('\t');
      return name === undefined ? [] : [{ name, bytes: Number(kilobytes) * 1024 }];
    });
    return lines;
  }

  return {
    async measure(signal) {
      const names = await listVolumes(volumes);
      const own = await Promise.all(names.map((name) => measureOne(name, signal)));
      if (own.every(({ bytes }) => bytes !== undefined)) return own;
      const found = new Map((await measureInContainer(signal)).map(({ name, bytes }) => [name, bytes]));
      return own.map(({ name, bytes }) => ({ name, bytes: bytes ?? found.get(name) }));
    },

    async erase(signal) {
      const refusal = await rm(volumes, { recursive: true, force: true }).then(
        () => undefined,
        (error: NodeJS.ErrnoException) => error,
      );
      if (!refusal) return;
      if (!['EACCES', 'EPERM', 'ENOTEMPTY'].includes(refusal.code ?? '')) throw refusal;
      try {
        if (run) await run(data, ['rm', '-rf', '--', '/data/volumes'], signal);
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof Failure) throw toFailure(error);
        throw error;
      }
      if (!run) throw toFailure(refusal);
    },
  };

  function toFailure(cause: Error): Failure {
    return new Failure(`the volumes in ${volumes} belong to other users and are not deleted`, {
      cause,
      hint: `sudo rm -rf '${volumes}', then npm run down -- --delete-data`,
    });
  }
}

/** `<namespace>/<claim>` of each volume; a namespace's own name where its folder cannot be read. */
async function listVolumes(volumes: string): Promise<readonly string[]> {
  const namespaces = await readdir(volumes).catch(toNone);
  const claims = await Promise.all(
    namespaces.map(async (namespace) => {
      const names = await readdir(join(volumes, namespace)).catch(() => ['']);
      return names.map((claim) => join(namespace, claim));
    }),
  );
  return claims.flat();
}

function toNone(error: NodeJS.ErrnoException): readonly string[] {
  if (error.code === 'ENOENT') return [];
  throw error;
}
