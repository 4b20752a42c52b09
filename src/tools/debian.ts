import { exitCodes, Failure } from '../lib/failure.ts';
import type { Run } from '../plan/plan.ts';
import type { Exec } from './exec.ts';
import { type FailureRules, inheritFrom } from './failure-rules.ts';
import { toRootsFolder, withRootFolder } from './root-folder.ts';

export const aptFailures: FailureRules = {
  exitCode: exitCodes.host,
  rules: [
    {
      pattern: /dpkg was interrupted/,
      hint: 'sudo dpkg --configure -a',
    },
    {
      pattern: /Could not get lock|Unable to acquire the dpkg frontend lock/,
      hint: 'sudo fuser --verbose /var/lib/dpkg/lock-frontend',
    },
    {
      pattern: /Unable to locate package/,
      hint: 'sudo add-apt-repository universe',
    },
    {
      pattern: /Temporary failure resolving|Could not resolve|Could not connect|Failed to fetch/,
      hint: 'npm run doctor',
    },
  ],
};

/** Makes the root of an image. */
const mmdebstrapFailures: FailureRules = {
  exitCode: exitCodes.image,
  hint: 'apt-get update',
  installHint: 'sudo apt-get install -y mmdebstrap',
  rules: [
    {
      pattern: /No space left on device/i,
      hint: 'npm run images -- prune',
      exitCode: exitCodes.host,
    },
    {
      pattern: /Temporary failure resolving|Could not resolve|Could not connect/,
      hint: 'npm run doctor',
    },
  ],
};

export interface DebianRoot {
  /** Debian's code name: bookworm, trixie. */
  readonly suite: string;
  readonly packages: readonly string[];
  /**
   * extract: the packages' files and nothing else, for an image with one program; no maintainer script runs.
   * minbase: an installed system.
   */
  readonly variant: 'extract' | 'minbase';
  /** Packages of another suite whose files are copied over the root, without their dependencies. */
  readonly overlay?: { readonly suite: string; readonly packages: readonly string[] };
}

export interface Debian {
  /** Writes the root file system for an architecture (`amd64`, `arm64`) as a tar to `path`. */
  makeRoot(root: DebianRoot, architecture: string, path: string, run: Run): Promise<void>;
}

/** `rootsFolder` is where packages are unpacked before they are packed again. */
export function createDebian(exec: Exec, rootsFolder: string = toRootsFolder()): Debian {
  return {
    async makeRoot(root, architecture, path, { signal, report }) {
      await requireMmdebstrap(exec);
      const mirrors = await findMirrors(exec);
      const sources = (suite: string) =>
        mirrors.map(({ uri, suffix }) => `deb ${uri} ${suite}${suffix} main`);
      const args = [
        `--variant=${root.variant}`,
        `--architectures=${architecture}`,
        // A merged /usr from the first file on, which `extract` does not set up by itself.
        '--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr',
        `--include=${root.packages.join(',')}`,
        '--aptopt=APT::Install-Recommends "false"',
        '--aptopt=Acquire::Retries "3"',
        ...overlayHooks(root, sources),
        root.suite,
        path,
        ...(mirrors.length > 0 ? sources(root.suite) : []),
      ];
      try {
        await withRootFolder(rootsFolder, exec, (folder) =>
          exec('mmdebstrap', args, {
            signal,
            onLine: report,
            // The date of every file, so that the same packages make the same root.
            env: { SOURCE_DATE_EPOCH: '0', TMPDIR: folder },
            failures: mmdebstrapFailures,
          }),
        );
      } catch (cause) {
        signal.throwIfAborted();
        throw new Failure(
          `the Debian ${root.suite} root with ${root.packages.join(', ')} could not be built`,
          {
            cause,
            ...inheritFrom(cause, mmdebstrapFailures),
          },
        );
      }
    },
  };
}

async function requireMmdebstrap(exec: Exec): Promise<void> {
  try {
    await exec('mmdebstrap', ['--version'], { failures: mmdebstrapFailures });
  } catch (cause) {
    throw new Failure('mmdebstrap is not installed: images that cannot be pulled are built with it', {
      cause,
      hint: mmdebstrapFailures.installHint,
      exitCode: exitCodes.host,
    });
  }
}

/** Hooks that mmdebstrap runs with apt configured for the new root, whose path is `$1`. */
function overlayHooks(root: DebianRoot, sources: (suite: string) => readonly string[]): readonly string[] {
  if (!root.overlay) return [];
  const { suite, packages } = root.overlay;
  const list = '"$1/etc/apt/sources.list.d/overlay.list"';
  const script = [
    'set -e',
    'export APT_CONFIG="$MMDEBSTRAP_APT_CONFIG"',
    `printf '%s\\n' ${sources(suite)
      .map((line) => `'${line}'`)
      .join(' ')} > ${list}`,
    'apt-get update -q',
    'cd "$1/tmp"',
    `apt-get download -q ${packages.map((name) => `${name}/${suite}`).join(' ')}`,
    'for package in *.deb; do dpkg-deb -x "$package" "$1"; done',
    `rm -f *.deb ${list}`,
  ].join('; ');
  return [`--customize-hook=${script}`];
}

interface Mirror {
  readonly uri: string;
  /** Suffix of a suite's name on this mirror: `-security` for security updates, else empty. */
  readonly suffix: string;
}

/**
 * The Debian mirrors that this machine uses, so that a root comes from where its packages come from.
 * Empty on a machine that is not Debian: mmdebstrap then uses its own.
 */
async function findMirrors(exec: Exec): Promise<readonly Mirror[]> {
  const format = ['--format', '$(ORIGIN) $(REPO_URI) $(RELEASE)', 'Created-By: Packages', 'Component: main'];
  const { stdout } = await exec('apt-get', ['indextargets', ...format], { failures: aptFailures });
  const mirrors = new Map<string, Mirror>();
  for (const line of stdout.split('\n')) {
    const [origin, uri, release] = line.split(' ');
    if (origin !== 'Debian' || !uri || !release || release.endsWith('-updates')) continue;
    mirrors.set(uri, { uri, suffix: release.endsWith('-security') ? '-security' : '' });
  }
  return [...mirrors.values()];
}
