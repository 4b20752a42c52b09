import { join } from 'node:path';
import { openSession } from '../src/commands/context/session.ts';
import { toolSteps } from '../src/commands/context/tools.ts';
import { openImages } from '../src/images/open-images.ts';
import { ownPlatform } from '../src/lib/platform.ts';
import { findPaths } from '../src/state/paths.ts';
import { exec } from '../src/tools/exec.ts';

/**
 * Gives the chart tests the helm that `up` would use: on PATH, downloaded or built. Kept with the packages of this
 * checkout, so that the next run finds it.
 */
export default async function obtainHelm(): Promise<void> {
  if (process.env.WEALIST_HELM) return;
  const own = findPaths();
  const paths = { ...own, state: join(own.checkout, 'node_modules/.cache/wealist-local') };
  const { toolchain } = openSession({ paths, exec }, { socket: '/dev/null' }, 'none');
  const images = await openImages({ paths, registry: { pull: 'auto' }, toolchain, exec, ...ownPlatform() });
  const step = toolSteps({ paths, exec }, images).find(({ title }) => title === 'helm');
  const run = {
    signal: new AbortController().signal,
    report: (line: string) => process.stderr.write(`helm: ${line}\n`),
  };
  if (step && !(await step.isDone?.(run))) await step.apply(run);
  process.env.WEALIST_HELM = join(paths.state, 'bin/helm');
}
