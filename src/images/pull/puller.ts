import type { Environment } from '../../config/schema.ts';
import { isTimeout, withDeadline } from '../../lib/deadline.ts';
import { exitCodes, Failure } from '../../lib/failure.ts';
import type { Digest } from '../../lib/oci.ts';
import { type Reference, toDigested, toTagged } from '../../lib/reference.ts';
import type { Run } from '../../plan/plan.ts';
import type { Docker } from '../../tools/docker/docker.ts';
import type { DockerImage } from '../../tools/docker/images.ts';
import { PullFailure } from '../../tools/registry/pull.ts';
import type { ImageDigests } from './image-digests.ts';

export interface PulledImage {
  /** Its name in the engine. */
  readonly name: string;
  readonly details: DockerImage;
}

/** Pulls images from registries into the engine. */
export interface Puller {
  /** The image if the engine has it with the recorded or configured digest, where one is known. */
  find(reference: Reference): Promise<PulledImage | undefined>;
  /**
   * Pulls the image, from the mirror where one is configured. A registry that did not respond is not tried again.
   * @throws {PullFailure}
   * @throws {Failure} exit code 9 when the registry's image has another digest than expected.
   */
  pull(reference: Reference, run: Run): Promise<PulledImage>;
}

export interface PullerDeps {
  readonly docker: Pick<Docker, 'findImage' | 'pullImage' | 'getRemoteDigest'>;
  readonly registry: Pick<Environment['registry'], 'mirror'>;
  readonly digests: ImageDigests;
  /** The engine's architecture: `amd64`. */
  readonly architecture: string;
  /** Milliseconds in which a registry must respond to the first request. */
  readonly timeout?: number;
}

/** A puller for one run, in which each registry is checked once. */
export function createPuller(deps: PullerDeps): Puller {
  const { docker, registry, digests, architecture, timeout = 20_000 } = deps;
  /** Registry → why it cannot be used. Each registry is checked once; concurrent pulls share the check. */
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

  /** Requests this image's digest: without a download it shows whether the registry is reachable. */
  async function checkRegistry(source: Reference, { signal, report }: Run): Promise<PullFailure | undefined> {
    const name = toTagged(source);
    report(`checking registry ${source.registry}`);
    try {
      await withDeadline({ timeout, signal }, (limited) => docker.getRemoteDigest(name, { signal: limited }));
    } catch (error) {
      signal.throwIfAborted();
      const failure = isTimeout(error)
        ? new PullFailure(name, new Error(`no response, timed out after ${timeout / 1000} s`))
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

  /** Throws when the registry has another image under the tag than the expected digest. */
  async function refuseOther(source: Reference, expected: Digest, { signal }: Run): Promise<void> {
    const found = await docker.getRemoteDigest(toTagged(source), { signal }).catch((error) => {
      if (error instanceof PullFailure) return undefined;
      throw error;
    });
    if (found === undefined || found === expected) return;
    throw new Failure(`${toTagged(source)} has digest ${found}, not ${expected} as recorded`, {
      cause:
        'the tag was moved, or the registry serves another image under this name: accept it only if you expect that',
      hint: `npm run images -- accept ${toTagged(source)}@${found}`,
      exitCode: exitCodes.refused,
    });
  }

  async function getPulled(name: string): Promise<PulledImage> {
    const details = await docker.findImage(name);
    if (details) return { name, details };
    throw new Failure(`image ${name} was removed from the engine right after the pull`, {
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

/** An image without digests was loaded from an archive by the user: it has no digest to compare. */
function isExpected({ digests }: DockerImage, expected: Digest | undefined): boolean {
  if (expected === undefined || digests.length === 0) return true;
  return digests.some((each) => each.endsWith(`@${expected}`));
}

/** The engine shortens names of Docker Hub: `postgres` for `docker.io/library/postgres`. */
function isOf(digested: string, { registry, repository }: Reference): boolean {
  const full = `${registry}/${repository}`;
  return [full, full.replace(/^docker\.io\/(library\/)?/, '')].includes(digested.split('@')[0] ?? '');
}
