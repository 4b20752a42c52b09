import { exec } from '../src/tools/exec.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';

/**
 * Runs programs where `folder` is a file system for two more files, which nobody else sees: in a namespace of its own,
 * in which users other than root may mount one, too. Undefined where this system does not allow that.
 */
export async function makeFullDisk() {
  const folder = await makeTemporaryFolder();
  const script = 'mount -t tmpfs -o nr_inodes=3,size=1m tmpfs "$1"; shift; exec "$@"';
  const run = (argv: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    exec('unshare', ['--user', '--map-root-user', '--mount', 'sh', '-ec', script, 'sh', folder, ...argv], {
      env,
    });
  const isAllowed = await run(['true']).then(
    () => true,
    () => false,
  );
  return isAllowed ? { folder, run } : undefined;
}
