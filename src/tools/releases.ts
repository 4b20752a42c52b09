import { writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { withDeadline } from '../lib/deadline.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { hashContent } from '../lib/hash.ts';
import { versions } from './versions.ts';

export type ToolName = 'kind' | 'kubectl' | 'helm';

interface Release {
  readonly url: string;
  /** URL of the published checksum: a text that begins with it. */
  readonly checksum: string;
  /** The program's path in the archive; the download is the program itself without it. */
  readonly member?: string;
}

/** The official releases; `os` and `arch` in Go's names. */
export function toolRelease(tool: ToolName, os: string, arch: string): Release {
  switch (tool) {
    case 'kind': {
      const url = `https://github.com/kubernetes-sigs/kind/releases/download/v${versions.kind}/kind-${os}-${arch}`;
      return { url, checksum: `${url}.sha256sum` };
    }
    case 'kubectl': {
      const url = `https://dl.k8s.io/release/v${versions.kubernetes}/bin/${os}/${arch}/kubectl`;
      return { url, checksum: `${url}.sha256` };
    }
    case 'helm': {
      const url = `https://get.helm.sh/helm-v${versions.helm}-${os}-${arch}.tar.gz`;
      return { url, checksum: `${url}.sha256sum`, member: `${os}-${arch}/helm` };
    }
  }
}

/**
 * Writes a release's program to `path`, which then may be run, once it has the published checksum.
 * @throws {Failure} when it cannot be downloaded, exit code 3; when the checksum differs, exit code 9.
 */
export async function downloadRelease(release: Release, path: string, signal: AbortSignal): Promise<void> {
  const [published, archive] = await Promise.all([
    download(release.checksum, signal).then((text) => text.toString('utf8').trim().split(/\s/)[0]),
    download(release.url, signal),
  ]);
  const actual = hashContent(archive);
  if (actual !== published) {
    throw new Failure(`${release.url} does not have the published checksum`, {
      cause: `published ${published}, downloaded ${actual}`,
      exitCode: exitCodes.refused,
    });
  }
  const program = release.member === undefined ? archive : await readMember(archive, release.member);
  await writeFile(path, program, { mode: 0o755 });
}

/**
 * A file of a publisher's repository, for which no checksum is published.
 * @throws {Failure} when it cannot be downloaded, exit code 3; when it does not have this SHA-256, exit code 9.
 */
export async function downloadFile(url: string, sha256: string, signal: AbortSignal): Promise<Buffer> {
  const content = await download(url, signal);
  requireChecksum(url, content, sha256);
  return content;
}

/** @throws {Failure} exit code 9 when the content, downloaded from `from`, does not have this SHA-256. */
export function requireChecksum(from: string, content: Buffer, sha256: string): void {
  const actual = hashContent(content);
  if (actual === sha256) return;
  throw new Failure(`${from} does not have the expected checksum`, {
    cause: `expected ${sha256}, got ${actual}`,
    exitCode: exitCodes.refused,
  });
}

/** Milliseconds until the server responds: without a network some machines wait much longer. */
const responseTimeout = 5_000;

async function download(url: string, signal: AbortSignal): Promise<Buffer> {
  try {
    const response = await withDeadline({ timeout: responseTimeout, signal }, (limited) =>
      fetch(url, { signal: limited }),
    );
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
    const chunks: Uint8Array[] = [];
    for await (const chunk of response.body ?? []) {
      signal.throwIfAborted();
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (cause) {
    signal.throwIfAborted();
    throw new Failure(`${url} could not be downloaded`, { cause, exitCode: exitCodes.host });
  }
}

async function readMember(archive: Buffer, member: string): Promise<Buffer> {
  const entries = Readable.from([archive]).pipe(createGunzip()).pipe(extract());
  for await (const entry of entries as unknown as AsyncIterable<
    AsyncIterable<Buffer> & { header: { name: string } }
  >) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk);
    if (entry.header.name === member) return Buffer.concat(chunks);
  }
  throw new Failure(`the archive does not contain ${member}`, { exitCode: exitCodes.host });
}
