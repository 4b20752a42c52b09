import { writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { exitCodes, Failure } from '../lib/failure.ts';
import { downloadFile } from './download.ts';
import { releaseChecksums } from './release-checksums.ts';
import { versions } from './versions.ts';

export type ToolName = 'kind' | 'kubectl' | 'helm';

export interface Release {
  /** As in `releaseChecksums`. */
  readonly name: string;
  readonly url: string;
  /** Where the publisher keeps its checksum: a text that begins with it. */
  readonly checksum: string;
  /** The program's path in the archive; the download is the program itself without it. */
  readonly member?: string;
}

/** An official release; `os` and `arch` in Go's names. */
export function toolRelease(tool: ToolName, os: string, arch: string): Release {
  switch (tool) {
    case 'kind': {
      const name = `kind ${versions.kind} ${os} ${arch}`;
      const url = `https://github.com/kubernetes-sigs/kind/releases/download/v${versions.kind}/kind-${os}-${arch}`;
      return { name, url, checksum: `${url}.sha256sum` };
    }
    case 'kubectl': {
      const name = `kubectl ${versions.kubernetes} ${os} ${arch}`;
      const url = `https://dl.k8s.io/release/v${versions.kubernetes}/bin/${os}/${arch}/kubectl`;
      return { name, url, checksum: `${url}.sha256` };
    }
    case 'helm': {
      const name = `helm ${versions.helm} ${os} ${arch}`;
      const url = `https://get.helm.sh/helm-v${versions.helm}-${os}-${arch}.tar.gz`;
      return { name, url, checksum: `${url}.sha256sum`, member: `${os}-${arch}/helm` };
    }
  }
}

/**
 * Writes a release's program to `path`, which then may be run.
 * @throws {Failure} when it cannot be downloaded, or no checksum of it is known, exit code 3; when it does not have that
 * checksum, exit code 9.
 */
export async function downloadRelease(
  { name, url, member }: Release,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  const sha256 = releaseChecksums[name];
  if (sha256 === undefined) {
    throw new Failure(`no checksum of ${name} is known`, { exitCode: exitCodes.host });
  }
  const archive = await downloadFile(url, sha256, signal);
  const program = member === undefined ? archive : await readMember(archive, member);
  await writeFile(path, program, { mode: 0o755 });
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
