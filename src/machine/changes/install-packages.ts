import type { Exec } from '../../tools/exec.ts';
import type { Change } from './change.ts';
import type { Root } from './root.ts';
import { runToEnd } from './run-to-end.ts';

export interface PackagesWanted {
  readonly id: string;
  readonly title: string;
  readonly why: string;
  readonly packages: readonly string[];
  /** Installed with them where this release of the distribution has them. */
  readonly ifOffered?: readonly string[];
}

const quiet = { DEBIAN_FRONTEND: 'noninteractive' };
// Another apt run (unattended upgrades) is waited for, and a mirror's hiccup is no failure.
const patient = ['-q', '-o', 'DPkg::Lock::Timeout=120', '-o', 'Acquire::Retries=3'];
const install = ['install', '--yes', '--no-install-recommends'];

/** Packages installed with apt, without what they merely recommend. */
export function installPackages(
  root: Root,
  exec: Exec,
  { id, title, why, packages, ifOffered = [] }: PackagesWanted,
): Change {
  return {
    id,
    title,
    why,
    detail: root.show(`apt-get ${[...install, ...packages].join(' ')}`),
    async isNeeded() {
      const states = await Promise.all(packages.map((name) => isInstalled(exec, name)));
      return states.includes(false);
    },
    async isUntouched() {
      const states = await Promise.all(packages.map((name) => isUnknown(exec, name)));
      return !states.includes(false);
    },
    async apply(run) {
      const { signal, report } = run;
      await root.run('apt-get', [...patient, 'update'], { env: quiet, signal, onLine: report });
      // Only a fresh index knows what is offered.
      const offered = await Promise.all(
        ifOffered.map(async (name) => ((await isOffered(exec, name)) ? [name] : [])),
      );
      const args = [...patient, ...install, ...packages, ...offered.flat()];
      await runToEnd(root, 'apt-get', args, { ...run, env: quiet });
    },
  };
}

async function isInstalled(exec: Exec, name: string): Promise<boolean> {
  const { stdout } = await exec('dpkg-query', ['--status', name]).catch(() => ({ stdout: '' }));
  return /^Status: install ok installed$/m.test(stdout);
}

/** Nothing of it is on this system: no file of it was unpacked. */
async function isUnknown(exec: Exec, name: string): Promise<boolean> {
  const { stdout } = await exec('dpkg-query', ['--status', name]).catch(() => ({ stdout: '' }));
  return !/^Status: install /m.test(stdout);
}

async function isOffered(exec: Exec, name: string): Promise<boolean> {
  const { stdout } = await exec('apt-cache', ['policy', name]).catch(() => ({ stdout: '' }));
  return /^ +Candidate: (?!\(none\))/m.test(stdout);
}
