import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import { exitCodes, Failure } from '../../lib/failure.ts';
import type { Exec } from '../exec.ts';
import { CredentialProgram, createCredential } from './exec-credential.ts';

/** How to reach an API server, and as whom. */
export interface ApiAccess {
  /** `https://127.0.0.1:6443` */
  readonly server: string;
  /** PEM. Undefined where the server is reached without TLS, or without a certificate. */
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  /** The name that its certificate has, where that is not the one of its address. */
  readonly servername?: string;
  /** A token for one request; undefined where the certificate is enough. */
  readonly authorize?: (signal: AbortSignal) => Promise<string>;
}

/** The fields of a kubeconfig that this program reads, all files inlined; others are dropped. */
export const Kubeconfig = z.object({
  contexts: z.array(
    z.object({ name: z.string(), context: z.object({ cluster: z.string(), user: z.string() }) }),
  ),
  clusters: z.array(
    z.object({
      name: z.string(),
      cluster: z.object({
        server: z.url(),
        'certificate-authority-data': z.base64().optional(),
        'tls-server-name': z.string().optional(),
      }),
    }),
  ),
  users: z.array(
    z.object({
      name: z.string(),
      user: z.object({
        'client-certificate-data': z.base64().optional(),
        'client-key-data': z.base64().optional(),
        token: z.string().optional(),
        tokenFile: z.string().optional(),
        // kubectl needs more of it than is read here, where this becomes a copy of the kubeconfig.
        exec: z.looseObject(CredentialProgram.shape).optional(),
      }),
    }),
  ),
});

/**
 * The access to a kube context's cluster, from a kubeconfig as kind writes it.
 * @throws {Failure} exit code 5 when it cannot be read, or lacks the kube context.
 */
export async function readKubeconfig(path: string, context: string, exec: Exec): Promise<ApiAccess> {
  try {
    const { contexts, clusters, users } = Kubeconfig.parse(parse(await readFile(path, 'utf8')));
    const names = find(contexts, context).context;
    const cluster = find(clusters, names.cluster).cluster;
    const { server, 'certificate-authority-data': ca, 'tls-server-name': servername } = cluster;
    const { user } = find(users, names.user);
    const { 'client-certificate-data': cert, 'client-key-data': key } = user;
    const authorize = toAuthorize(user, exec);
    return {
      server,
      ...(ca !== undefined && { ca: toBuffer(ca) }),
      ...(cert !== undefined && { cert: toBuffer(cert) }),
      ...(key !== undefined && { key: toBuffer(key) }),
      ...(servername !== undefined && { servername }),
      ...(authorize && { authorize }),
    };
  } catch (error) {
    throw new Failure(`${path} has no usable kube context ${context}`, {
      // A parser's message may quote the file, and a key is in it.
      cause: error instanceof z.ZodError ? z.prettifyError(error) : (error as NodeJS.ErrnoException).code,
      hint: 'npm run up',
      exitCode: exitCodes.cluster,
    });
  }
}

function toBuffer(base64: string): Buffer {
  return Buffer.from(base64, 'base64');
}

/** How a user of the kubeconfig authenticates without a certificate. */
function toAuthorize(
  { token, tokenFile, exec: program }: z.infer<typeof Kubeconfig>['users'][number]['user'],
  exec: Exec,
): ApiAccess['authorize'] {
  if (token !== undefined) return async () => token;
  // The file is read each time, since it is rewritten before its token expires.
  if (tokenFile !== undefined) return async () => (await readFile(tokenFile, 'utf8')).trim();
  return program && createCredential(exec, program);
}

function find<T extends { readonly name: string }>(list: readonly T[], name: string): T {
  const found = list.find((each) => each.name === name);
  if (!found) throw Object.assign(new Error(name), { code: `${name} not found` });
  return found;
}
