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

/** Installs packages with apt, without recommended ones. Its detail names every package that comes with them. */
export async function installPackages(
  root: Root,
  exec: Exec,
  { id, title, why, packages, ifAvailable = [] }: PackagesWanted,
): Promise<Change> {
  return {
    id,
    title,
    why,
    detail: await describe(root, exec, { packages, ifAvailable }),
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
      const args = [...retrying, ...install, ...packages, ...(await findAvailable(exec, ifAvailable))];
      await runToEnd(root, 'apt-get', args, { ...run, ...options });
    },
  };
}

/** The command line, and what it brings according to the present index, which a new machine may not have yet. */
async function describe(
  root: Root,
  exec: Exec,
  { packages, ifAvailable }: Required<Pick<PackagesWanted, 'packages' | 'ifAvailable'>>,
): Promise<string> {
  const named = [...packages, ...(await findAvailable(exec, ifAvailable))];
  const line = root.show(`apt-get ${[...install, ...named].join(' ')}`);
  const coming = await simulate(exec, named);
  if (coming === undefined) {
    const others = ifAvailable.filter((name) => !named.includes(name));
    const further = others.length === 0 ? '' : `, with ${others.join(' and ')} if they exist`;
    return `${line}${further}, and what they depend on`;
  }
  const others = coming.filter((name) => !named.includes(name));
  return others.length === 0 ? line : `${line}; it also installs ${others.join(', ')}`;
}

/** The names of the packages that would be installed or upgraded; undefined where the index does not say. */
async function simulate(exec: Exec, packages: readonly string[]): Promise<readonly string[] | undefined> {
  const args = ['--simulate', '-q', ...install, ...packages];
  const result = await exec('apt-get', args, { env: nonInteractive }).catch(() => undefined);
  return result && [...result.stdout.matchAll(/^Inst (\S+)/gm)].map(([, name = '']) => name);
}

async function findAvailable(exec: Exec, names: readonly string[]): Promise<readonly string[]> {
  const available = await Promise.all(names.map((name) => isAvailable(exec, name)));
  return names.filter((_, index) => available[index]);
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
