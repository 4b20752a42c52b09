import { readFile } from 'node:fs/promises';
import type { App } from '../../cli/command.ts';
import { type Fingerprint, listMismatches, toOfflineFingerprint } from '../../cluster/fingerprint.ts';
import type { Environment } from '../../config/schema.ts';
import { createSnapshots, type Snapshots } from '../../diagnosis/snapshot.ts';
import { isTimeout, withDeadline } from '../../lib/deadline.ts';
import { CommandFailure, exitCodes, Failure } from '../../lib/failure.ts';
import { writeFileAtomically } from '../../state/atomic-file.ts';
import { ensureStateFolder } from '../../state/state-folder.ts';
import { findTrust, toPrivateKubeconfig } from '../../state/trust.ts';
import { toLoginLine } from '../../tools/kubernetes/exec-credential.ts';
import { findKubeContext, type KubeContext, listKubeconfigs } from '../../tools/kubernetes/kube-context.ts';
import { createKubectl, type KubectlReader } from '../../tools/kubernetes/kubectl.ts';
import { createApiOpener } from '../../tools/kubernetes/open-api.ts';
import type { ClusterAccess } from './cluster.ts';
import { findKubectl } from './cluster.ts';

/** Milliseconds in which a remote cluster must respond: a login that waits for input never does. */
const answerTimeout = 10_000;

/** The cluster of a remote environment, verified to be the trusted one. */
export interface RemoteAccess extends ClusterAccess {
  readonly context: KubeContext;
}

type Deps = Pick<App, 'paths' | 'exec' | 'signal'>;

/**
 * Opens the cluster that is trusted for the environment, through a private copy of its kube context. No request is sent
 * before its address and CA match the trusted ones, and only its UID is asked for before that matches, too.
 * @throws {Failure} exit code 9 when no cluster is trusted, or when it is another one; 5 when it does not respond.
 */
export async function openRemote(
  app: Deps,
  environment: Environment,
  options: { readonly timeout?: number } = {},
): Promise<RemoteAccess> {
  const { name } = environment;
  const hint = `npm run env trust ${name}`;
  const trust = await findTrust(app.paths, name);
  if (!trust) {
    throw new Failure(`no cluster is trusted for environment ${name} yet`, {
      hint,
      exitCode: exitCodes.refused,
    });
  }
  const context = await findKubeContext(trust.context, { ...app, kubectl: await findKubectl(app) });
  if (!context) throw missingContext(trust.context, name);
  refuseMismatches(listMismatches(trust.fingerprint, toOfflineFingerprint(context)));

  const file = await copyPrivately(app, name, context);
  const kubectl = await connect(app, file, context);
  const uid = await askUid(kubectl, app.signal, context, options.timeout);
  refuseMismatches(listMismatches(trust.fingerprint, { uid }));
  return {
    context,
    kubectl,
    snapshots: openSnapshots(kubectl, environment.namespace),
    openApi: createApiOpener(file, context.name, app.exec),
  };

  function refuseMismatches(mismatches: readonly string[]): void {
    if (mismatches.length === 0) return;
    throw new Failure(
      `kube context ${context?.name} points to another cluster than the trusted one of ${name}`,
      {
        cause: mismatches.join('\n'),
        hint: `if you expect this change: ${hint}`,
        exitCode: exitCodes.refused,
      },
    );
  }
}

/** Snapshots of one namespace, with the nodes where RBAC allows to read them. */
function openSnapshots(kubectl: KubectlReader, namespace: string): Snapshots {
  const whole = createSnapshots(kubectl, { namespace });
  const own = createSnapshots(kubectl, { namespace, nodes: false });
  return {
    async take(signal, options) {
      try {
        return await whole.take(signal, options);
      } catch (error) {
        if (!(error instanceof CommandFailure) || !/nodes is forbidden/.test(error.stderr)) throw error;
        return own.take(signal, options);
      }
    },
  };
}

/** The fingerprint of a kube context that is not trusted yet. @throws {Failure} as `openRemote`. */
export async function readFingerprint(
  app: Deps,
  environment: string,
  context: KubeContext,
): Promise<Fingerprint> {
  const file = await copyPrivately(app, environment, context);
  const uid = await askUid(await connect(app, file, context), app.signal, context);
  return { ...toOfflineFingerprint(context), uid };
}

export function missingContext(context: string, environment: string): Failure {
  return new Failure(
    `kube context ${context} of environment ${environment} was not found in any kubeconfig`,
    {
      cause: `searched ${listKubeconfigs().join(', ')}`,
      hint: `npm run env -- trust ${environment} --context <name>`,
      exitCode: exitCodes.refused,
    },
  );
}

async function copyPrivately(
  { paths }: Deps,
  environment: string,
  { kubeconfig }: KubeContext,
): Promise<string> {
  await ensureStateFolder(paths);
  const file = toPrivateKubeconfig(paths, environment);
  const before = await readFile(file, 'utf8').catch(() => undefined);
  if (before !== kubeconfig) await writeFileAtomically(file, kubeconfig);
  return file;
}

async function connect(app: Deps, kubeconfig: string, context: KubeContext): Promise<KubectlReader> {
  return createKubectl(app.exec, { program: await findKubectl(app), kubeconfig, context: context.name });
}

/** UID of the namespace kube-system; undefined where RBAC forbids to read it. */
async function askUid(
  kubectl: KubectlReader,
  signal: AbortSignal,
  { name, login }: KubeContext,
  timeout = answerTimeout,
): Promise<string | undefined> {
  try {
    const { metadata } = await withDeadline({ timeout, signal }, (limited) =>
      kubectl.getJson<{ readonly metadata: { readonly uid: string } }>(['namespace', 'kube-system'], limited),
    );
    return metadata.uid;
  } catch (error) {
    signal.throwIfAborted();
    const silent = (cause: string) =>
      new Failure(`the cluster of kube context ${name} does not respond`, {
        cause,
        hint: login ? toLoginLine(login) : 'check your network or VPN, then retry',
        exitCode: exitCodes.cluster,
      });
    if (isTimeout(error)) throw silent(`no response in ${timeout / 1000} s`);
    if (!(error instanceof CommandFailure) || error.status === undefined) throw error;
    if (error.stderr.includes('(Forbidden)')) return undefined;
    throw silent(error.stderr.split('\n').at(-1) || error.message);
  }
}
