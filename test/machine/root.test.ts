import { expect, test } from 'vitest';
import { CommandFailure } from '../../src/lib/failure.ts';
import { unlockRoot } from '../../src/machine/changes/root.ts';
import type { Host } from '../../src/machine/host.ts';
import type { Exec } from '../../src/tools/exec.ts';

const user = { isRoot: false, hasSudo: true } as Host;

/** sudo of an account, which fails for the argument lists of `refused`. */
function createSudo(...refused: readonly string[]) {
  const asked: string[] = [];
  const exec: Exec = async (program, args) => {
    const line = [program, ...args].join(' ');
    asked.push(line);
    if (!refused.includes(line)) return { stdout: '', stderr: '' };
    const stderr = 'sudo: a password is required';
    throw new CommandFailure('sudo ended with exit code 1', {
      argv: [program],
      status: 1,
      stdout: '',
      stderr,
    });
  };
  return { asked, exec };
}

test('an account that needs no password is not asked for one, which sudo -v would do all the same', async () => {
  const { asked, exec } = createSudo('sudo -v');
  await unlockRoot(user, exec);
  expect(asked).toEqual(['sudo -n -- env true']);
});

test('an account that needs a password is asked once, before the progress display', async () => {
  const { asked, exec } = createSudo('sudo -n -- env true');
  await unlockRoot(user, exec);
  expect(asked).toEqual(['sudo -n -- env true', 'sudo -v']);
});

test('an account without rights is refused', async () => {
  const { exec } = createSudo('sudo -n -- env true', 'sudo -v');
  await expect(unlockRoot(user, exec)).rejects.toThrow('sudo ended with exit code 1');
});

test.each<Partial<Host>>([
  { isRoot: true, hasSudo: true },
  { isRoot: false, hasSudo: false },
])('nothing is asked of %o', async (host) => {
  const { asked, exec } = createSudo();
  await unlockRoot(host as Host, exec);
  expect(asked).toEqual([]);
});
