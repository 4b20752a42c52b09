import { Resolver } from 'node:dns/promises';
import type { App } from '../../cli/command.ts';
import type { FoundCluster } from '../../cluster/ownership.ts';
import { CommandFailure } from '../../lib/failure.ts';
import type { CheckResult } from '../../machine/checks/check.ts';
import type { DockerCli } from '../../tools/docker/cli.ts';

export interface DnsDeps {
  readonly dockerCli: Pick<DockerCli, 'exec'>;
  /** Names that this machine may know; the first that it does is asked for on the node. */
  readonly names: readonly string[];
  /** Whether this machine knows the name. */
  readonly isKnownHere?: (name: string) => Promise<boolean>;
}

/** Exit code of `getent` for a name that nothing knows; `timeout` has its own. */
const unknown = 2;
const timedOut = 124;

/**
 * Whether the control plane's node resolves a name that this machine resolves. A node gets the DNS servers of the time at
 * which it was started, so that it may not know names any more once the network or a VPN has changed. No result while
 * this machine knows none of the names, or the node does not run.
 */
export async function checkDns(
  { signal }: Pick<App, 'signal'>,
  { nodes: [node] }: Pick<FoundCluster, 'nodes'>,
  { dockerCli, names, isKnownHere = isResolved }: DnsDeps,
): Promise<readonly CheckResult[]> {
  if (node?.state !== 'running') return [];
  const known = await Promise.all(names.map(isKnownHere));
  const name = names.find((_, at) => known[at]);
  if (name === undefined) return [];
  const check = { id: 'node-dns', title: 'DNS of the node' };
  try {
    await dockerCli.exec(node.name, ['timeout', '5', 'getent', 'hosts', name], { signal });
    return [{ ...check, state: 'ok', detail: `resolves ${name}` }];
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof CommandFailure)) throw error;
    if (error.status !== unknown && error.status !== timedOut) return [];
    const detail = `does not resolve ${name}, which this machine does: the network or a VPN has changed since the node was started`;
    return [{ ...check, state: 'warn', detail, fix: 'npm run down -- --stop, then npm run up' }];
  }
}

/** Asks the DNS servers of this machine: what only its own file of hosts knows, no node can know. */
async function isResolved(name: string): Promise<boolean> {
  return new Resolver({ timeout: 2_000, tries: 1 }).resolve4(name).then(
    () => true,
    () => false,
  );
}
