import { readFile, stat } from 'node:fs/promises';
import { delimiter, dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { exitCodes, Failure } from '../../lib/failure.ts';
import { findHome } from '../../lib/home-folder.ts';
import { hideSecrets } from '../../lib/secret-values.ts';
import { CredentialProgram, toWords } from './exec-credential.ts';

/** One kube context of the person's own kubeconfig, complete in itself. */
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

/** Bytes; one with 50 clusters has 150 KB. */
const largest = 512 * 1024;

const ClusterEntry = z.looseObject({
  server: z.string(),
  'certificate-authority': z.string().optional(),
  'certificate-authority-data': z.string().optional(),
  'insecure-skip-tls-verify': z.boolean().optional(),
  'proxy-url': z.string().optional(),
  'tls-server-name': z.string().optional(),
});
const UserEntry = z.looseObject({
  'client-certificate': z.string().optional(),
  'client-certificate-data': z.string().optional(),
  'client-key': z.string().optional(),
  'client-key-data': z.string().optional(),
  token: z.string().optional(),
  tokenFile: z.string().optional(),
  exec: z.looseObject(CredentialProgram.shape).optional(),
});
const File = z.looseObject({
  contexts: z
    .array(
      z.looseObject({ name: z.string(), context: z.looseObject({ cluster: z.string(), user: z.string() }) }),
    )
    .nullish(),
  clusters: z.array(z.looseObject({ name: z.string(), cluster: ClusterEntry })).nullish(),
  users: z.array(z.looseObject({ name: z.string(), user: UserEntry.nullish() })).nullish(),
});

/** Where a person's own kubeconfig is: the files of KUBECONFIG, else `~/.kube/config`. */
export function listKubeconfigs(env: NodeJS.ProcessEnv = process.env): readonly string[] {
  const named = (env.KUBECONFIG ?? '').split(delimiter).filter((path) => path !== '');
  return named.length > 0
    ? named.map((path) => resolve(path))
    : [join(env.HOME || findHome(), '.kube/config')];
}

/**
 * Copies one kube context out of the person's kubeconfig, of which nothing is written and nothing run; undefined when
 * there is none of that name. Read here and not by `kubectl config view`, which runs the programs that log in.
 * @throws {Failure} exit code 2 when a file cannot be read; 9 when its way to the cluster proves nothing, or runs another
 * program than aws.
 */
export async function findKubeContext(
  name: string,
  files: readonly string[] = listKubeconfigs(),
): Promise<KubeContext | undefined> {
  const read = (await Promise.all(files.map(readFileOf))).filter((each) => each !== undefined);
  // As kubectl has it: of two of one name, the first counts, whatever file it is in.
  const find = <Kind extends 'contexts' | 'clusters' | 'users'>(kind: Kind, wanted: string) =>
    read
      .flatMap(({ folder, file }) => (file[kind] ?? []).map((entry) => ({ folder, entry })))
      .find(({ entry }) => entry.name === wanted);
  const context = find('contexts', name)?.entry as { context: { cluster: string; user: string } } | undefined;
  if (!context) return undefined;
  const cluster = find('clusters', context.context.cluster) as Found<z.infer<typeof ClusterEntry>, 'cluster'>;
  const user = find('users', context.context.user) as Found<z.infer<typeof UserEntry>, 'user'>;
  if (!cluster || !user?.entry.user) {
    throw refuse(name, `names a ${cluster ? 'user' : 'cluster'} that no file has`, exitCodes.usage);
  }
  return toContext(name, cluster.folder, cluster.entry.cluster, user.folder, user.entry.user);
}

type Found<T, Key extends string> =
  | { readonly folder: string; readonly entry: { readonly name: string } & { readonly [K in Key]: T } }
  | undefined;

async function toContext(
  name: string,
  clusterFolder: string,
  cluster: z.infer<typeof ClusterEntry>,
  userFolder: string,
  user: z.infer<typeof UserEntry>,
): Promise<KubeContext> {
  const server = toServer(name, cluster.server);
  if (cluster['insecure-skip-tls-verify']) {
    throw refuse(name, 'does not check the certificate of its API server: anybody could answer in its place');
  }
  if (cluster['proxy-url'] !== undefined)
    throw refuse(name, 'goes through a proxy, which is not supported', exitCodes.cluster);
  const known = Object.keys(UserEntry.shape);
  const unknown = Object.keys(user).find((key) => !known.includes(key));
  if (unknown !== undefined) throw refuse(name, `logs in by ${unknown}, which is not supported`);
  if (user.exec && user.exec.command !== 'aws')
    throw refuse(name, `runs ${user.exec.command} to log in, and no other program than aws is run`);

  if (user.token !== undefined) hideSecrets([user.token]);
  const inline = (data: string | undefined, path: string | undefined, folder: string) =>
    data ?? (path === undefined ? undefined : readBase64(name, resolve(folder, path)));
  const [ca, cert, key] = await Promise.all([
    inline(cluster['certificate-authority-data'], cluster['certificate-authority'], clusterFolder),
    inline(user['client-certificate-data'], user['client-certificate'], userFolder),
    inline(user['client-key-data'], user['client-key'], userFolder),
  ]);
  const tokenFile = user.tokenFile === undefined ? undefined : resolve(userFolder, user.tokenFile);
  const copy = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    contexts: [{ name, context: { cluster: name, user: name } }],
    clusters: [
      {
        name,
        cluster: withoutUndefined({
          server,
          'certificate-authority-data': ca,
          'tls-server-name': cluster['tls-server-name'],
        }),
      },
    ],
    users: [
      {
        name,
        user: withoutUndefined({
          'client-certificate-data': cert,
          'client-key-data': key,
          token: user.token,
          tokenFile,
          exec: user.exec,
        }),
      },
    ],
  };
  return {
    name,
    server,
    ca: ca === undefined ? undefined : Buffer.from(ca, 'base64'),
    login: user.exec && toWords(user.exec),
    kubeconfig: `${JSON.stringify(copy, undefined, 2)}\n`,
  };
}

function toServer(context: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'https:' && url.username === '') return url.href.replace(/\/+$/, '');
  throw refuse(context, 'reaches its API server without TLS: anybody could answer in its place');
}

async function readFileOf(path: string) {
  try {
    const { size } = await stat(path);
    if (size > largest)
      throw new Failure(`${path} has more than ${largest / 1024} KB`, { exitCode: exitCodes.usage });
    const file = File.parse(parse(await readFile(path, 'utf8')) ?? {});
    return { folder: dirname(path), file };
  } catch (error) {
    if (error instanceof Failure) throw error;
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new Failure(`${path} is no kubeconfig`, {
      // A parser's words may repeat the file, and keys are in it.
      cause:
        error instanceof z.ZodError ? z.prettifyError(error) : syscall === undefined ? 'it is no YAML' : code,
      hint: 'export KUBECONFIG="$HOME/.kube/config"',
      exitCode: exitCodes.usage,
    });
  }
}

async function readBase64(context: string, path: string): Promise<string> {
  try {
    return (await readFile(path)).toString('base64');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw refuse(context, `names ${path}, which cannot be read (${code})`, exitCodes.usage);
  }
}

function refuse(context: string, what: string, exitCode: Failure['exitCode'] = exitCodes.refused): Failure {
  return new Failure(`kube context ${context} ${what}`, { exitCode });
}

function withoutUndefined(value: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined));
}
