import { access } from 'node:fs/promises';
import { delimiter, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { CommandFailure, exitCodes, Failure } from '../../lib/failure.ts';
import { findHome } from '../../lib/home-folder.ts';
import { hideSecrets } from '../../lib/secret-values.ts';
import type { Exec } from '../exec.ts';
import type { FailureRules } from '../failure-rules.ts';
import { toCommandWords } from './exec-credential.ts';
import { Kubeconfig } from './kubeconfig.ts';

/** One kube context of the user's kubeconfig, complete in itself. */
export interface KubeContext {
  readonly name: string;
  /** `https://…`, without a slash at its end. */
  readonly server: string;
  /** The PEM text that the server's certificate is checked by; undefined for the authorities of the system. */
  readonly ca: Buffer | undefined;
  /** The program that gives the credentials, as it is typed, its variables first; undefined where the file has them. */
  readonly login: readonly string[] | undefined;
  /** The text of a kubeconfig that holds this context and nothing else. Confidential. */
  readonly kubeconfig: string;
}

export interface KubeconfigReader {
  readonly exec: Exec;
  /** Path of the program. */
  readonly kubectl: string;
  readonly signal?: AbortSignal;
  /** Paths of the kubeconfigs, the first wins. */
  readonly files?: readonly string[];
}

/** What `kubectl config view --minify` prints: one context, with its cluster and its user. */
const View = z.looseObject({
  clusters: z
    .array(
      z.looseObject({
        cluster: z.looseObject({
          server: z.string().default(''),
          'insecure-skip-tls-verify': z.boolean().optional(),
          'proxy-url': z.string().optional(),
        }),
      }),
    )
    .nullish(),
  users: z.array(z.looseObject({ user: z.looseObject({ tokenFile: z.string().optional() }) })).nullish(),
});

const knownLogins: readonly string[] = Object.keys(Kubeconfig.shape.users.element.shape.user.shape);

/** A kubeconfig is one of the user's files. */
const viewFailures: FailureRules = { exitCode: exitCodes.usage, installHint: 'npm run up', rules: [] };

/** The files that kubectl reads: those of KUBECONFIG, else `~/.kube/config`. */
export function listKubeconfigs(env: NodeJS.ProcessEnv = process.env): readonly string[] {
  const named = (env.KUBECONFIG ?? '').split(delimiter).filter((path) => path !== '');
  return named.length > 0
    ? named.map((path) => resolve(path))
    : [join(env.HOME || findHome(), '.kube/config')];
}

/**
 * Copies one kube context out of the user's kubeconfig, which is not changed; undefined when it has none of that name.
 * Only kubectl is run, which merges the files and does not run the program that logs in.
 * @throws {Failure} exit code 2 when a file cannot be read; 9 when the kube context does not prove which cluster it
 * reaches, or runs another program than aws; 5 when it uses a proxy.
 */
export async function findKubeContext(
  name: string,
  { files = listKubeconfigs(), ...reader }: KubeconfigReader,
): Promise<KubeContext | undefined> {
  const text = await viewContext(name, { files, ...reader });
  if (text === undefined) return undefined;
  const view = View.parse(JSON.parse(text));
  const cluster = view.clusters?.[0]?.cluster;
  const user = view.users?.[0]?.user;
  if (!cluster || !user) {
    throw refuse(name, `names a ${cluster ? 'user' : 'cluster'} that no file has`, exitCodes.usage);
  }

  const server = toServer(name, cluster.server);
  if (cluster['insecure-skip-tls-verify']) {
    throw refuse(name, 'does not check the certificate of its API server: any server could take its place');
  }
  if (cluster['proxy-url'] !== undefined)
    throw refuse(name, 'uses a proxy, which is not supported', exitCodes.cluster);
  const unknown = Object.keys(user).find((key) => !knownLogins.includes(key));
  if (unknown !== undefined) throw refuse(name, `logs in by ${unknown}, which is not supported`);

  const { contexts, clusters, users } = Kubeconfig.parse({
    ...view,
    clusters: [{ ...view.clusters?.[0], cluster: { ...cluster, server } }],
    users: [
      { ...view.users?.[0], user: { ...user, tokenFile: await findFile(name, user.tokenFile, files) } },
    ],
  });
  const { exec: program, token } = users[0]?.user ?? {};
  if (program && program.command !== 'aws')
    throw refuse(name, `runs ${program.command} to log in, and no other program than aws is run`);
  if (token !== undefined) hideSecrets([token]);
  const ca = clusters[0]?.cluster['certificate-authority-data'];
  const copy = { apiVersion: 'v1', kind: 'Config', 'current-context': name, contexts, clusters, users };
  return {
    name,
    server,
    ca: ca === undefined ? undefined : Buffer.from(ca, 'base64'),
    login: program && toCommandWords(program),
    kubeconfig: `${JSON.stringify(copy, undefined, 2)}\n`,
  };
}

/** The kube context as JSON, its files inlined. */
async function viewContext(
  name: string,
  { exec, kubectl, signal, files = [] }: KubeconfigReader,
): Promise<string | undefined> {
  const view = ['config', 'view', '--minify', '--flatten', '--raw', '--output=json', `--context=${name}`];
  const env = { KUBECONFIG: files.join(delimiter) };
  try {
    const options = { env, timeout: 10_000, failures: viewFailures, ...(signal && { signal }) };
    return (await exec(kubectl, view, options)).stdout;
  } catch (error) {
    if (!(error instanceof CommandFailure) || error.status === undefined) throw error;
    const { stderr } = error;
    if (stderr.includes('cannot locate context')) return undefined;
    const missing = /cannot locate (cluster|user)/.exec(stderr)?.[1];
    if (missing) throw refuse(name, `names a ${missing} that no file has`, exitCodes.usage);
    throw toFileFailure(name, stderr) ?? error;
  }
}

/** A kubeconfig, or a file that it names, which kubectl cannot read; undefined when it reports something else. */
function toFileFailure(context: string, stderr: string): Failure | undefined {
  const [, path, why = ''] = /error loading config file "(.*?)": (.*)/.exec(stderr) ?? [];
  if (path !== undefined) {
    return new Failure(`${path} is not a kubeconfig`, {
      // A parser may quote the file, and keys are in it.
      cause: why.replace(/`[^`]*`|"[^"]*"|'[^']{8,}'/g, '…'),
      hint: 'export KUBECONFIG="$HOME/.kube/config"',
      exitCode: exitCodes.usage,
    });
  }
  const [, file, reason] = /open (.+): ([^:]+)$/m.exec(stderr.trim()) ?? [];
  if (file === undefined) return undefined;
  return refuse(context, `names ${file}, which cannot be read (${reason})`, exitCodes.usage);
}

/** The absolute path of a token's file: kubectl prints it as its kubeconfig does, and not which kubeconfig that is. */
async function findFile(
  context: string,
  file: string | undefined,
  kubeconfigs: readonly string[],
): Promise<string | undefined> {
  if (file === undefined) return undefined;
  for (const path of kubeconfigs.map((kubeconfig) => resolve(dirname(kubeconfig), file))) {
    const exists = await access(path).then(
      () => true,
      () => false,
    );
    if (exists) return path;
  }
  throw refuse(context, `names ${file}, which cannot be read`, exitCodes.usage);
}

function toServer(context: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'https:' && url.username === '') return url.href.replace(/\/+$/, '');
  throw refuse(context, 'reaches its API server without TLS: any server could take its place');
}

function refuse(context: string, what: string, exitCode: Failure['exitCode'] = exitCodes.refused): Failure {
  return new Failure(`kube context ${context} ${what}`, { exitCode });
}
