import { rm } from 'node:fs/promises';
import type { App } from '../../cli/command.ts';
import { listMismatches, toOfflineFingerprint } from '../../cluster/fingerprint.ts';
import type { Environment } from '../../config/schema.ts';
import { exitCodes, Failure } from '../../lib/failure.ts';
import { findTrust, type Trust, toPrivateKubeconfig, writeTrust } from '../../state/trust.ts';
import { findKubeContext, type KubeContext } from '../../tools/kubernetes/kube-context.ts';
import { toTable } from '../../ui/table.ts';
import { findKubectl } from '../context/cluster.ts';
import { isLocal } from '../context/environment.ts';
import { missingContext, readFingerprint } from '../context/remote-cluster.ts';
import { obtainTools } from '../context/tools.ts';
import { describeFingerprint } from './describe.ts';

export interface TrustChoice {
  /** Kube context to use instead of the one in the environment. */
  readonly context: string | undefined;
  readonly confirmed: boolean;
}

/**
 * Shows the cluster of a kube context and, after confirmation, records it as the cluster of the environment. A login
 * program is shown before it is run.
 * @throws {Failure} exit code 2 without a terminal to ask on or without a kube context, 5 when the cluster does not
 * respond, 9 when the user answers no or the kube context does not identify a cluster.
 */
export async function trustCluster(app: App, environment: Environment, choice: TrustChoice): Promise<Trust> {
  const { name } = environment;
  if (isLocal(environment)) {
    throw new Failure(
      `environment ${name} is on this machine: its cluster is created by up and needs no trust`,
      {
        hint: 'npm run up',
        exitCode: exitCodes.usage,
      },
    );
  }
  const previous = await findTrust(app.paths, name);
  await obtainTools(app, ['kubectl']);
  const context = await findContext(
    app,
    choice.context === undefined ? [previous?.context, environment.context] : [choice.context],
    name,
  );
  const offline = toOfflineFingerprint(context);
  const subject = `trusting the cluster of ${name}`;
  if (!choice.confirmed && !app.ui.interactive) {
    throw new Failure(`${subject} requires confirmation, and there is no terminal to ask on`, {
      cause: toLines({ context: context.name, fingerprint: { ...offline, uid: undefined } }).join('\n'),
      hint: `npm run env -- trust ${name} --yes`,
      exitCode: exitCodes.usage,
    });
  }
  if (offline.login) app.ui.warn(`To log in, this program is run: ${offline.login.join(' ')}`);

  const trust = { context: context.name, fingerprint: await readCandidate() };
  const isSame =
    previous?.context === context.name &&
    listMismatches(previous.fingerprint, trust.fingerprint).length === 0;
  if (isSame) return trust;
  const changes = previous ? listMismatches(previous.fingerprint, trust.fingerprint) : [];
  await app.confirm(
    {
      subject,
      heading: `Kube context ${context.name} refers to this cluster:`,
      lines: [
        ...toLines(trust),
        ...(changes.length === 0 ? [] : ['', 'It differs from the previously trusted cluster:', ...changes]),
      ],
      message: `Is it the cluster of ${name}?`,
    },
    choice.confirmed,
  );
  await writeTrust(app.paths, name, trust);
  return trust;

  /** Uses a kubeconfig of its own, so that the one of the trusted cluster is unchanged until this one is trusted. */
  async function readCandidate() {
    const candidate = `${name}.candidate`;
    try {
      return await readFingerprint(app, candidate, context);
    } finally {
      await rm(toPrivateKubeconfig(app.paths, candidate), { force: true });
    }
  }
}

/** The first of these kube contexts that exists. */
async function findContext(
  app: App,
  names: readonly (string | undefined)[],
  environment: string,
): Promise<KubeContext> {
  const [first, ...others] = names.filter((name) => name !== undefined);
  if (first === undefined) {
    throw new Failure(`environment ${environment} names no kube context`, {
      hint: `npm run env -- trust ${environment} --context <name>`,
      exitCode: exitCodes.usage,
    });
  }
  for (const name of [first, ...others]) {
    const found = await findKubeContext(name, { ...app, kubectl: await findKubectl(app) });
    if (found) return found;
  }
  throw missingContext(first, environment);
}

function toLines({ context, fingerprint }: Trust): readonly string[] {
  return toTable([['kube context', context], ...describeFingerprint(fingerprint)]).split('\n');
}
