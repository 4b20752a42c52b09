import { rm } from 'node:fs/promises';
import type { App } from '../../cli/command.ts';
import { listMismatches, toOfflineFingerprint } from '../../cluster/fingerprint.ts';
import type { Environment } from '../../config/schema.ts';
import { exitCodes, Failure } from '../../lib/failure.ts';
import { findTrust, type Trust, toPrivateKubeconfig, writeTrust } from '../../state/trust.ts';
import { findKubeContext, type KubeContext } from '../../tools/kubernetes/kube-context.ts';
import { toTable } from '../../ui/table.ts';
import { findKubectl } from '../context/find-kubectl.ts';
import { isLocal } from '../context/guard.ts';
import { obtainTools } from '../context/obtain-tools.ts';
import { missingContext, readFingerprint } from '../context/remote-access.ts';
import { describeFingerprint } from './describe.ts';

export interface TrustChoice {
  /** In place of the one that the environment's file names. */
  readonly context: string | undefined;
  readonly agreed: boolean;
}

/**
 * Shows which cluster a kube context leads to and records it, after asking, as that of the environment. A program that
 * logs in is shown before it is run.
 * @throws {Failure} exit code 2 where nobody can be asked or no kube context is named, 5 when the cluster does not
 * answer, 9 when the person says no or the kube context proves nothing.
 */
export async function trustCluster(app: App, environment: Environment, choice: TrustChoice): Promise<Trust> {
  const { name } = environment;
  if (isLocal(environment)) {
    throw new Failure(`environment ${name} is on this machine: its cluster is the one that up makes`, {
      hint: 'npm run up',
      exitCode: exitCodes.usage,
    });
  }
  const before = await findTrust(app.paths, name);
  await obtainTools(app, ['kubectl']);
  const context = await findContext(
    app,
    choice.context === undefined ? [before?.context, environment.context] : [choice.context],
    name,
  );
  const offline = toOfflineFingerprint(context);
  const subject = `the cluster of ${name} needs`;
  if (!choice.agreed && !app.ui.interactive) {
    throw new Failure(`${subject} your consent, and nobody can be asked here`, {
      cause: toLines({ context: context.name, fingerprint: { ...offline, uid: undefined } }).join('\n'),
      hint: `npm run env -- trust ${name} --yes`,
      exitCode: exitCodes.usage,
    });
  }
  if (offline.login) app.ui.warn(`To log in, this is run: ${offline.login.join(' ')}`);

  const trust = { context: context.name, fingerprint: await look() };
  const isSame =
    before?.context === context.name && listMismatches(before.fingerprint, trust.fingerprint).length === 0;
  if (isSame) return trust;
  const changes = before ? listMismatches(before.fingerprint, trust.fingerprint) : [];
  await app.confirm(
    {
      subject,
      heading: `Kube context ${context.name} leads to this cluster:`,
      lines: [
        ...toLines(trust),
        ...(changes.length === 0 ? [] : ['', 'It is not the one of before:', ...changes]),
      ],
      message: `Is it the cluster of ${name}?`,
    },
    choice.agreed,
  );
  await writeTrust(app.paths, name, trust);
  return trust;

  /** Under a name of its own: the copy of the cluster that is trusted stays as it is until this one is. */
  async function look() {
    const candidate = `${name}.candidate`;
    try {
      return await readFingerprint(app, candidate, context);
    } finally {
      await rm(toPrivateKubeconfig(app.paths, candidate), { force: true });
    }
  }
}

/** The first of these kube contexts that there is. */
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
