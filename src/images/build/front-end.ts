import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { exitCodes, Failure } from '../../lib/failure.ts';
import { hashContent } from '../../lib/hash.ts';
import type { DockerfileSource } from '../source/dockerfile-source.ts';
import { readIgnoreFile } from '../source/ignore-file.ts';

/** The front end that `# syntax=` names. */
export interface FrontEnd {
  /** `docker/dockerfile:1.4` */
  readonly image: string;
  /** Its line in the Dockerfile, the first being 1. */
  readonly line: number;
}

/** `docker/dockerfile:1` is on Docker Hub; `docker.io/…` and other hosts are named. */
export function registryOf(image: string): string {
  const host = image.split('/')[0] ?? '';
  return image.includes('/') && /[.:]|^localhost$/.test(host) ? host : 'docker.io';
}

/** Whether a build failed because its front end could not be had, judged by its last lines. */
export function isFrontEndFailure(error: unknown, { image }: FrontEnd): boolean {
  const text = error instanceof Failure ? String(error.cause) : '';
  const repository = image.replace(/[:@].*$/, '');
  return text
    .split('\n')
    .some(
      (line) =>
        /fail|error/i.test(line) && (/frontend gateway\.v0/.test(line) || line.includes(`${repository}:`)),
    );
}

/**
 * Calls `build` with a copy of the Dockerfile that names no front end, so that BuildKit's own reads it. Line numbers stay
 * the same below the directives. The copy is removed afterwards.
 * @throws {Failure} exit code 7 naming the line that needs the front end.
 */
export async function withBuiltInFrontEnd<T>(
  source: DockerfileSource,
  { text, frontEnd }: { readonly text: string; readonly frontEnd: FrontEnd },
  build: (dockerfile: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'wealist-dockerfile-'));
  try {
    const path = join(folder, basename(source.dockerfile));
    const ignoreFile = await readIgnoreFile(source);
    const copied = withoutSyntax(text, frontEnd.line);
    await writeFile(path, copied);
    // BuildKit takes a Dockerfile of the same size and date for the one that it read last for this context: copies that
    // are made at once would build the first one's image under the other's name.
    const date = Number.parseInt(hashContent(copied).slice(0, 8), 16);
    await utimes(path, date, date);
    // Docker looks for it beside the Dockerfile first.
    if (ignoreFile) await writeFile(`${path}.dockerignore`, ignoreFile.text);
    return await build(path).catch((error) => {
      throw toFailure(error, join(source.root, source.dockerfile), frontEnd);
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A comment ends the directives, so it takes the place after the last of them. */
function withoutSyntax(text: string, line: number): string {
  const lines = text.split('\n');
  lines.splice(line - 1, 1);
  const end = lines.findIndex((each) => !/^\s*#\s*[a-z]+\s*=/i.test(each));
  return lines.toSpliced(end === -1 ? lines.length : end, 0, '#').join('\n');
}

/** What the built-in front end of an older engine cannot read, with the way to read it. */
function toFailure(error: unknown, dockerfile: string, { image }: FrontEnd): unknown {
  if (!(error instanceof Failure)) return error;
  const [, line, problem] = /parse error (?:on )?line (\d+): (.+)/.exec(String(error.cause)) ?? [];
  if (line === undefined) return error;
  return new Failure(
    `${dockerfile}:${line} needs ${image}, which no registry answers for: the engine's own front end reads it as ${problem}`,
    {
      cause: error.cause,
      hint: `docker pull ${image} where a registry answers, or write line ${line} without it`,
      exitCode: exitCodes.image,
    },
  );
}
