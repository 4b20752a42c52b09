import type { Environment } from '../config/schema.ts';
import { isTimeout, withDeadline } from '../lib/deadline.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import type { Digest } from '../lib/oci.ts';
import { type Reference, toDigested, toTagged } from '../lib/reference.ts';
import type { Run } from '../plan/plan.ts';
import type { Docker } from '../tools/docker/docker.ts';
import type { DockerImage } from '../tools/docker/images.ts';
import { PullFailure } from '../tools/registry/pull.ts';
import type { ImageDigests } from './image-digests.ts';

export interface PulledImage {
  /** What the engine knows it by. */
  readonly name: string;
  readonly details: DockerImage;
}

/** Images of registries, in the engine. */
export interface Puller {
  /** The image if the engine has it, as far as known with the content that a pull would bring. */
  find(reference: Reference): Promise<PulledImage | undefined>;
  /**
   * Pulls the image, from the mirror where there is one. A registry that did not answer is not asked again.
   * @throws {PullFailure}
   * @throws {Failure} exit code 9 when what the registry has is not what the digest says.
   */
  pull(reference: Reference, run: Run): Promise<PulledImage>;
}

export interface PullerDeps {
  readonly docker: Pick<Docker, 'findImage' | 'pullImage' | 'getRemoteDigest'>;
  readonly registry: Pick<Environment['registry'], 'mirror'>;
  readonly digests: ImageDigests;
  /** The engine's word for this machine's architecture: `amd64`. */
  readonly architecture: string;
  /** Milliseconds in which a registry must have answered its first question. */
  readonly timeout?: number;
}

export function createPuller(deps: PullerDeps): Puller {
  const { docker, registry, digests, architecture, timeout = 20_000 } = deps;
  /** Registry → why it cannot be used; each is asked once, by whoever needs it first, and the others wait for that. */
  const checks = new Map<string, Promise<PullFailure | undefined>>();

  const toSource = (reference: Reference): Reference =>
    registry.mirror === undefined ? reference : { ...reference, registry: registry.mirror };
  const findExpected = async (source: Reference) => (await digests.find(toTagged(source))) ?? source.digest;

  async function requireReachable(source: Reference, run: Run): Promise<void> {
    const check = checks.get(source.registry) ?? checkRegistry(source, run);
    checks.set(source.registry, check);
    const unusable = await check;
    if (unusable) throw new PullFailure(toTagged(source), unusable.cause);
  }

  /** Asks for this image's digest: no download, and it tells a registry that is there from one that is not. */
  async function checkRegistry(source: Reference, { signal, report }: Run): Promise<PullFailure | undefined> {
    const name = toTagged(source);
    report(`asking ${source.registry}`);
    try {
      await withDeadline({ timeout: timeout, signal }, (limited) =>
        docker.getRemoteDigest(name, { signal: limited }),
      );
    } catch (error) {
      signal.throwIfAborted();
      const failure = isTimeout(error)
        ? new PullFailure(name, new Error(`no answer, timed out after ${timeout / 1000} s`))
        : error;
      if (!(failure instanceof PullFailure)) throw failure;
      return failure.problem === 'unreachable' || failure.problem === 'certificate' ? failure : undefined;
    }
    return undefined;
  }

  async function pullDigest(source: Reference, digest: Digest, run: Run): Promise<PulledImage> {
    const name = toDigested(source, digest);
    try {
      await docker.pullImage(name, run);
    } catch (error) {
      if (error instanceof PullFailure && error.problem === 'not-found') {
        await refuseOther(source, digest, run);
      }
      throw error;
    }
    return getPulled(name);
  }

  async function pullTag(source: Reference, run: Run): Promise<PulledImage> {
    const name = toTagged(source);
    await docker.pullImage(name, run);
    const pulled = await getPulled(name);
    const digest = pulled.details.digests.find((each) => isOf(each, source))?.split('@')[1];
    if (digest) await digests.record(name, digest as Digest);
    return pulled;
  }

  /** A registry that has the tag with another content: what was asked for is gone, or this is not it. */
  async function refuseOther(source: Reference, expected: Digest, { signal }: Run): Promise<void> {
    const found = await docker.getRemoteDigest(toTagged(source), { signal }).catch((error) => {
      if (error instanceof PullFailure) return undefined;
      throw error;
    });
    if (found === undefined || found === expected) return;
    throw new Failure(`${toTagged(source)} is ${found}, not ${expected} as before`, {
      cause: 'the tag was moved, or another image has its name here: accept it only if you expected that',
      hint: `npm run images -- accept ${toTagged(source)}@${found}`,
      exitCode: exitCodes.refused,
    });
  }

  async function getPulled(name: string): Promise<PulledImage> {
    const details = await docker.findImage(name);
    if (details) return { name, details };
    throw new Failure(`image ${name} is gone from the engine right after it was pulled`, {
      hint: 'npm run up',
      exitCode: exitCodes.image,
    });
  }

  return {
    async find(reference) {
      const source = toSource(reference);
      const expected = await findExpected(source);
      const names = [
        ...[reference, source].map(toTagged),
        ...(expected ? [toDigested(source, expected)] : []),
      ];
      for (const name of new Set(names)) {
        const details = await docker.findImage(name);
        if (details?.architecture === architecture && isExpected(details, expected)) return { name, details };
      }
      return undefined;
    },

    async pull(reference, run) {
      const source = toSource(reference);
      await requireReachable(source, run);
      run.report(`pulling ${toTagged(source)}`);
      const expected = await findExpected(source);
      try {
        return await (expected ? pullDigest(source, expected, run) : pullTag(source, run));
      } catch (error) {
        if (error instanceof PullFailure && error.problem === 'unreachable') {
          checks.set(source.registry, Promise.resolve(error));
        }
        throw error;
      }
    },
  };
}

/** An image without digests came in an archive, by somebody's own hand: it has nothing to be compared. */
function isExpected({ digests }: DockerImage, expected: Digest | undefined): boolean {
  if (expected === undefined || digests.length === 0) return true;
  return digests.some((each) => each.endsWith(`@${expected}`));
}

/** The engine leaves out Docker Hub's own parts of a name. */
function isOf(digested: string, { registry, repository }: Reference): boolean {
  const full = `${registry}/${repository}`;
  return [full, full.replace(/^docker\.io\/(library\/)?/, '')].includes(digested.split('@')[0] ?? '');
}
