import type { Recipe } from '../../src/images/build/recipe.ts';
import { shell, users } from '../debian-parts.ts';

/** PostgreSQL 17 of Debian under the uid of the official image; server, psql and pg_isready on PATH. */
export const recipe: Recipe = {
  minutes: 1,
  async build({ debianRoot, layer, image }) {
    const root = await debianRoot(
      {
        suite: 'trixie',
        variant: 'extract',
        packages: [
          'base-files',
          'busybox-static',
          'libc-bin',
          'postgresql-17',
          'postgresql-client-17',
          'tzdata',
        ],
      },
      // Not needed: Debian's cluster manager in Perl, and the JIT compiler, which pays off only for large queries.
      [
        ...['usr/share/perl', 'usr/lib/x86_64-linux-gnu/perl', 'usr/lib/aarch64-linux-gnu/perl'],
        ...['usr/lib/x86_64-linux-gnu/libLLVM', 'usr/lib/aarch64-linux-gnu/libLLVM', 'usr/lib/llvm'],
        ...[
          'usr/lib/postgresql/17/lib/bitcode',
          'usr/lib/postgresql/17/lib/llvmjit',
          'usr/share/postgresql/17/man',
        ],
      ],
    );
    const settings = await layer([
      ...users({ name: 'postgres', id: 999 }),
      ...shell,
      { path: 'tmp', mode: 0o1777, folder: true },
    ]);
    // Before /usr/bin, where Debian has Perl wrappers of the same names.
    return image([root, settings], {
      Cmd: ['postgres'],
      Env: ['PATH=/usr/lib/postgresql/17/bin:/usr/local/bin:/usr/sbin:/usr/bin', 'LANG=C.UTF-8'],
      User: '999:999',
    });
  },
};
