import type { Environment } from '../../config/schema.ts';
import { measureContext } from '../../images/source/context-size.ts';
import { findDockerfile } from '../../images/source/dockerfile-source.ts';
import { toBytes } from '../../lib/bytes.ts';
import { Failure } from '../../lib/failure.ts';
import type { CheckResult } from '../../machine/checks/check.ts';

/** Bytes above which a build context is reported: a Dockerfile that copies all of it is slow to build and to load. */
const large = 100e6;

/** Build contexts that are large, each with what takes most of it; no result for stand-ins. */
export async function checkContexts(
  environment: Environment,
  checkout: string,
): Promise<readonly CheckResult[]> {
  const found = await Promise.all(
    Object.keys(environment.services).map(async (name): Promise<readonly CheckResult[]> => {
      const source = await findDockerfile(environment, name, checkout).catch((error) => {
        // A missing Dockerfile is reported by the build.
        if (error instanceof Failure) return undefined;
        throw error;
      });
      if (!source) return [];
      const { bytes, largest } = await measureContext(source);
      if (bytes < large) return [];
      const parts = largest.slice(0, 3).map(({ path, bytes: size }) => `${path} ${toBytes(size)}`);
      return [
        {
          id: 'build-context',
          title: `build context of ${name}`,
          state: 'warn',
          detail: `${toBytes(bytes)}: ${parts.join(', ')}`,
          fix: `add what no build needs to ${source.root}/${source.context === '.' ? '' : `${source.context}/`}.dockerignore`,
        },
      ];
    }),
  );
  return found.flat();
}
