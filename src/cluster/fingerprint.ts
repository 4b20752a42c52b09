import { hashContent } from '../lib/hash.ts';
import type { KubeContext } from '../tools/kubernetes/kube-context.ts';

/** What tells a cluster from every other, whatever its kube context is called. */
export interface Fingerprint {
  /** Address of the API server. */
  readonly server: string;
  /** SHA-256 of the authority that its certificate is checked by; `system` where that is the system's choice. */
  readonly ca: string;
  /** UID of the namespace kube-system; undefined where it may not be read. */
  readonly uid: string | undefined;
  /** The program that logs in, with its variables and arguments. */
  readonly login: readonly string[] | undefined;
}

/** What can be said of a cluster before it was asked anything. */
export function toOfflineFingerprint({ server, ca, login }: KubeContext): Omit<Fingerprint, 'uid'> {
  return { server, ca: ca ? hashContent(ca) : 'system', login };
}

/** A line for each part in which a cluster is not the one that was trusted; parts that are not known yet are left out. */
export function listMismatches(trusted: Fingerprint, found: Partial<Fingerprint>): readonly string[] {
  const titles = { server: 'API address', ca: 'CA', uid: 'UID of kube-system', login: 'log-in' } as const;
  const keys = Object.keys(titles) as readonly (keyof typeof titles)[];
  return keys
    .filter((key) => key in found && toText(found[key]) !== toText(trusted[key]))
    .map((key) => `${titles[key]}: ${toText(found[key])}, trusted was ${toText(trusted[key])}`);
}

function toText(value: string | readonly string[] | undefined): string {
  if (value === undefined) return 'none';
  return typeof value === 'string' ? value : value.join(' ');
}
