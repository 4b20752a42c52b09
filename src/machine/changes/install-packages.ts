import { aptFailures } from '../../tools/debian.ts';
import type { Exec } from '../../tools/exec.ts';
import type { Change } from './change.ts';
import type { Root } from './root.ts';
import { runToEnd } from './run-to-end.ts';

export interface PackagesWanted {
  readonly id: string;
  readonly title: string;
  readonly why: string;
  readonly packages: readonly string[];
  /** Also installed, where this release of the distribution has them. */
  readonly ifAvailable?: readonly string[];
}

const nonInteractive = { DEBIAN_FRONTEND: 'noninteractive' };
// Waits for another apt run (unattended upgrades), and retries where a mirror fails.
const retrying = ['-q', '-o', 'DPkg::Lock::Timeout=120', '-o', 'Acquire::Retries=3'];
const install = ['install', '--yes', '--no-install-recommends'];

/** Installs packages with apt, without recommended ones. */
export function installPackages(
  root: Root,
  exec: Exec,
  { id, title, why, packages, ifAvailable = [] }: PackagesWanted,
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
      const options = { env: nonInteractive, failures: aptFailures };
      await root.run('apt-get', [...retrying, 'update'], { ...options, signal, onLine: report });
      // Only an updated index shows which packages are available.
      const available = await Promise.all(
        ifAvailable.map(async (name) => ((await isAvailable(exec, name)) ? [name] : [])),
      );
      const args = [...retrying, ...install, ...packages, ...available.flat()];
      await runToEnd(root, 'apt-get', args, { ...run, ...options });
    },
  };
}

async function isInstalled(exec: Exec, name: string): Promise<boolean> {
  const { stdout } = await exec('dpkg-query', ['--status', name]).catch(() => ({ stdout: '' }));
  return /^Status: install ok installed$/m.test(stdout);
}

/** Whether no file of the package was ever unpacked. */
async function isUnknown(exec: Exec, name: string): Promise<boolean> {
  const { stdout } = await exec('dpkg-query', ['--status', name]).catch(() => ({ stdout: '' }));
  return !/^Status: install /m.test(stdout);
}

async function isAvailable(exec: Exec, name: string): Promise<boolean> {
  const { stdout } = await exec('apt-cache', ['policy', name]).catch(() => ({ stdout: '' }));
  return /^ +Candidate: (?!\(none\))/m.test(stdout);
}
