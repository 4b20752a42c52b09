import { exec } from '../../tools/exec.ts';
import type { Change } from '../change.ts';
import type { Root } from '../root.ts';

export interface PackagesWanted {
  readonly id: string;
  readonly title: string;
  readonly why: string;
  readonly packages: readonly string[];
}

const quiet = { DEBIAN_FRONTEND: 'noninteractive' };
// Another apt run (unattended upgrades) is waited for, and a mirror's hiccup is no failure.
const patient = ['-o', 'DPkg::Lock::Timeout=120', '-o', 'Acquire::Retries=3'];

/** Debian packages installed with apt, without what they merely recommend. */
export function installPackages(root: Root, { id, title, why, packages }: PackagesWanted): Change {
  const install = ['install', '--yes', '--no-install-recommends', ...packages];
  return {
    id,
    title,
    why,
    command: root.show(`apt-get ${install.join(' ')}`),
    async isNeeded() {
      return (await listMissing(packages)).length > 0;
    },
    async apply({ signal, report }) {
      const options = { env: quiet, signal, onLine: report };
      await root.run('apt-get', [...patient, 'update', '-q'], options);
      await root.run('apt-get', [...patient, '-q', ...install], options);
    },
  };
}

/** Those of the packages that are not installed. */
async function listMissing(packages: readonly string[]): Promise<readonly string[]> {
  const states = await Promise.all(
    packages.map(async (name) => {
      const { stdout } = await exec('dpkg-query', ['-W', '-f', '${Status}', '--', name]).catch(() => ({
        stdout: '',
      }));
      return { name, isInstalled: stdout.includes('install ok installed') };
    }),
  );
  return states.filter(({ isInstalled }) => !isInstalled).map(({ name }) => name);
}
