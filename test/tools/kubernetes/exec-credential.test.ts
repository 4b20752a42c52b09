import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exec } from '../../../src/tools/exec.ts';
import { createCredential, toLoginLine } from '../../../src/tools/kubernetes/exec-credential.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

const apiVersion = 'client.authentication.k8s.io/v1beta1';
const { signal } = new AbortController();

/** A program that logs in by this shell script, and notes each call. */
async function makeProgram(script: string) {
  const folder = await makeTemporaryFolder();
  const command = join(folder, 'aws');
  await writeFile(command, `#!/bin/sh\necho called >> '${folder}/calls'\n${script}\n`);
  await chmod(command, 0o755);
  const countCalls = async () => (await readFile(join(folder, 'calls'), 'utf8')).split('\n').length - 1;
  return { command, countCalls };
}

const print = (minutes: number) => {
  const expirationTimestamp = new Date(Date.now() + minutes * 60_000).toISOString();
  const credential = { kind: 'ExecCredential', status: { token: 'k8s-aws-v1.token', expirationTimestamp } };
  return `echo '${JSON.stringify(credential)}'`;
};

test('gives the token, and runs the program again only when that expires', async () => {
  const { command, countCalls } = await makeProgram(print(15));
  const authorize = createCredential(exec, { apiVersion, command });
  expect([await authorize(signal), await authorize(signal)]).toEqual(Array(2).fill('k8s-aws-v1.token'));
  expect(await countCalls()).toBe(1);

  const short = await makeProgram(print(0.5));
  const again = createCredential(exec, { apiVersion, command: short.command });
  await again(signal);
  await again(signal);
  expect(await short.countCalls()).toBe(2);
});

test('passes variables and arguments, and that it may not prompt', async () => {
  const { command } = await makeProgram(
    `[ "$AWS_PROFILE $1" = 'dev get-token' ] && echo "$KUBERNETES_EXEC_INFO" | grep -q '"interactive":false' && ${print(15)}`,
  );
  const program = { apiVersion, command, args: ['get-token'], env: [{ name: 'AWS_PROFILE', value: 'dev' }] };
  expect(await createCredential(exec, program)(signal)).toBe('k8s-aws-v1.token');
});

test('a failed login has the reason, and how to log in', async () => {
  const { command } = await makeProgram('echo "Token has expired and refresh failed" >&2; exit 255');
  const env = [{ name: 'AWS_PROFILE', value: 'dev' }];
  await expect(createCredential(exec, { apiVersion, command, env })(signal)).rejects.toMatchObject({
    cause: 'Token has expired and refresh failed',
    hint: 'aws sso login --profile dev',
    exitCode: 5,
  });
});

test('output that is not a credential is not repeated', async () => {
  const { command } = await makeProgram('echo token-of-somebody');
  const failure = await createCredential(exec, { apiVersion, command })(signal).catch((error) => error);
  expect(failure.cause).toBe('its output is not an ExecCredential');
});

test('the line to log in with', () => {
  expect(toLoginLine(['aws', 'eks', 'get-token'])).toBe('aws sso login');
  expect(toLoginLine(['AWS_PROFILE=a', 'aws', 'eks'])).toBe('aws sso login --profile a');
  expect(toLoginLine(['AWS_PROFILE=a', 'aws', '--profile', 'b'])).toBe('aws sso login --profile b');
});
