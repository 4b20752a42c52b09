import { z } from 'zod';
import { CommandFailure, exitCodes, Failure } from '../../lib/failure.ts';
import { hideSecrets } from '../../lib/secret-values.ts';
import type { Exec } from '../exec.ts';

/** The program that a kubeconfig names under `exec`: it prints a token for the API server. */
export const CredentialProgram = z.object({
  apiVersion: z.string(),
  command: z.string(),
  args: z.array(z.string()).nullish(),
  env: z.array(z.object({ name: z.string(), value: z.string() })).nullish(),
});

const Credential = z.object({
  status: z.object({ token: z.string(), expirationTimestamp: z.iso.datetime({ offset: true }).optional() }),
});

/** Milliseconds for a login: one that asks for a second factor would never end. */
const timeout = 10_000;
/** Milliseconds before it expires from which a token is not used any more. */
const margin = 60_000;

/** The program as it is typed: its variables, itself, its arguments. */
export function toCommandWords({
  command,
  args,
  env,
}: Pick<z.infer<typeof CredentialProgram>, 'command' | 'args' | 'env'>): readonly string[] {
  return [...(env ?? []).map(({ name, value }) => `${name}=${value}`), command, ...(args ?? [])];
}

/** Provides a token, and a new one when that has expired. @throws {Failure} exit code 5 when the login fails. */
export function createCredential(
  exec: Exec,
  { apiVersion, command, args, env }: z.infer<typeof CredentialProgram>,
): (signal: AbortSignal) => Promise<string> {
  let last: { readonly token: string; readonly until: number } | undefined;
  return async (signal) => {
    if (last && Date.now() < last.until) return last.token;
    const info = { apiVersion, kind: 'ExecCredential', spec: { interactive: false } };
    const variables = Object.fromEntries((env ?? []).map(({ name, value }) => [name, value]));
    try {
      const { stdout } = await exec(command, args ?? [], {
        env: { ...variables, KUBERNETES_EXEC_INFO: JSON.stringify(info) },
        signal,
        timeout: timeout,
      });
      const { token, expirationTimestamp } = Credential.parse(JSON.parse(stdout)).status;
      hideSecrets([token]);
      const end =
        expirationTimestamp === undefined ? Number.POSITIVE_INFINITY : Date.parse(expirationTimestamp);
      last = { token, until: end - margin };
      return token;
    } catch (error) {
      signal.throwIfAborted();
      throw new Failure(`${command} did not provide credentials`, {
        // What it printed may be the token itself.
        cause:
          error instanceof CommandFailure
            ? error.stderr || error.message
            : 'its output is not an ExecCredential',
        hint: toLoginLine(toCommandWords({ command, args, env })),
        exitCode: exitCodes.cluster,
      });
    }
  };
}

/** The command line with which the user logs in again, from the words of the credential program. */
export function toLoginLine(words: readonly string[]): string {
  const at = words.indexOf('--profile');
  const variable = words.find((word) => word.startsWith('AWS_PROFILE='))?.replace('AWS_PROFILE=', '');
  const profile = at === -1 ? variable : words[at + 1];
  return profile === undefined ? 'aws sso login' : `aws sso login --profile ${profile}`;
}
