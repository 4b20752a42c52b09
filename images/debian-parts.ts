import type { LayerEntry } from '../src/images/store/layer.ts';

/** Names of the user IDs that charts run programs as: some programs refuse to start as a user without a name. */
export function users(
  ...accounts: readonly { readonly name: string; readonly id: number }[]
): readonly LayerEntry[] {
  const all = [{ name: 'root', id: 0 }, ...accounts, { name: 'nobody', id: 65_534 }];
  const passwd = all.map(({ name, id }) => `${name}:x:${id}:${id}::/nonexistent:/bin/sh\n`).join('');
  const group = all.map(({ name, id }) => `${name}:x:${id}:\n`).join('');
  return [
    { path: 'etc/passwd', content: passwd },
    { path: 'etc/group', content: group },
  ];
}

const applets =
  'sh cat chmod cp cut date echo env expr false find grep head hostname id kill ln ls mkdir mktemp mv nslookup printf ' +
  'ps pwd rm rmdir sed sleep sort stat tail tar tee test touch tr true uname vi wc wget which xargs';

/** A shell and common programs from the package `busybox-static`, for start commands and debugging. */
export const shell: readonly LayerEntry[] = [
  ...applets.split(' ').map((name) => ({ path: `usr/local/bin/${name}`, link: '/usr/bin/busybox' })),
  // The C library's system() runs exactly /bin/sh.
  { path: 'usr/bin/sh', link: 'busybox' },
];

/** PATH of the images from Debian packages. */
export const path = 'PATH=/usr/local/bin:/usr/sbin:/usr/bin';
