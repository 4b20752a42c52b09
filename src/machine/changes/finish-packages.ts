import { readdir } from 'node:fs/promises';
import { CommandFailure } from '../../lib/failure.ts';
import { waitFor } from '../../lib/wait.ts';
import { aptFailures } from '../../tools/debian.ts';
import type { Exec } from '../../tools/exec.ts';
import type { Change } from './change.ts';
import type { Root } from './root.ts';
import { runToEnd } from './run-to-end.ts';

const isLocked = /lock.*(?:was locked by another process|is locked|held by)/is;

/** Packages that an interrupted dpkg unpacked are configured: until then apt refuses to install others. */
export function finishPackages(
  root: Root,
  exec: Exec,
  { timeout = 120_000, interval = 2_000 }: { readonly timeout?: number; readonly interval?: number } = {},
): Change {
  return {
    id: 'finish-packages',
    title: 'the interrupted installation of packages completed',
    why: 'dpkg was interrupted, and apt installs no package until it has finished',
    detail: root.show('dpkg --configure -a'),
    isNeeded: () => isInterrupted(root, exec),
    async apply(run) {
      const env = { DEBIAN_FRONTEND: 'noninteractive' };
      let failure: CommandFailure | undefined;
      const configure = async () => {
        try {
          await runToEnd(root, 'dpkg', ['--configure', '-a'], { ...run, env, failures: aptFailures });
          return true;
        } catch (error) {
          if (!(error instanceof CommandFailure) || !isLocked.test(error.stderr)) throw error;
          failure = error;
          run.report('waiting for another installation of packages to end');
          return undefined;
        }
      };
      // The dpkg of a killed run may still be running.
      if (!(await waitFor(configure, { interval, timeout, signal: run.signal }))) throw failure;
    },
  };
}

/** dpkg's journal has entries, or a package is unpacked and not configured. */
async function isInterrupted(root: Root, exec: Exec): Promise<boolean> {
  const journal = await readdir(root.path('/var/lib/dpkg/updates')).catch(() => []);
  if (journal.some((name) => /^\d+$/.test(name))) return true;
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own placeholder.
  const query = ['--show', '--showformat=${db:Status-Abbrev}\\n'];
  const { stdout } = await exec('dpkg-query', query).catch(() => ({ stdout: '' }));
  // Unpacked, half-configured, waiting for triggers of others, or its own triggers pending.
  return /^i[UFWt]/m.test(stdout);
}
