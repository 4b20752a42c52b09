import { hashContent } from '../lib/hash.ts';
import type { KubeContext } from '../tools/kubernetes/kube-context.ts';

/** What identifies a cluster, whatever its kube context is called. */
export interface Fingerprint {
  /** Address of the API server. */
  readonly server: string;
  /** SHA-256 of the CA of its certificate; `system` where the CAs of this machine are used. */
  readonly ca: string;
  /** UID of the namespace kube-system; undefined where reading it is forbidden. */
  readonly uid: string | undefined;
  /** The program that provides credentials, with its variables and arguments. */
  readonly login: readonly string[] | undefined;
}

/** The part of a fingerprint that is known without a connection to the cluster. */
export function toOfflineFingerprint({ server, ca, login }: KubeContext): Omit<Fingerprint, 'uid'> {
  return { server, ca: ca ? hashContent(ca) : 'system', login };
}

/** A line for each field that differs from the trusted cluster; fields that are not known yet are skipped. */
export function listMismatches(trusted: Fingerprint, found: Partial<Fingerprint>): readonly string[] {
  const titles = {
    server: 'API address',
    ca: 'CA',
    uid: 'UID of kube-system',
    login: 'login program',
  } as const;
  const keys = Object.keys(titles) as readonly (keyof typeof titles)[];
  return keys
    .filter((key) => key in found && toText(found[key]) !== toText(trusted[key]))
    .map((key) => `${titles[key]}: ${toText(found[key])}, trusted: ${toText(trusted[key])}`);
}

function toText(value: string | readonly string[] | undefined): string {
  if (value === undefined) return 'none';
  return typeof value === 'string' ? value : value.join(' ');
}
