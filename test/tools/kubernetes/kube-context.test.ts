import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { exec } from '../../../src/tools/exec.ts';
import { findKubeContext, listKubeconfigs } from '../../../src/tools/kubernetes/kube-context.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

const fake = join(import.meta.dirname, '../../fakes/kubectl.js');
/** This machine's own, where there is one, shows that the fake behaves as it does. */
const installed = await exec('kubectl', ['version', '--client'])
  .then(() => ['kubectl'])
  .catch(() => []);

const aws = {
  apiVersion: 'client.authentication.k8s.io/v1beta1',
  command: 'aws',
  args: ['eks', 'get-token'],
};

interface Deps {
  readonly cluster?: object;
  readonly user?: object;
}

/** A kubeconfig with the kube contexts dev and prod; JSON is valid YAML. */
async function writeConfig({ cluster = {}, user = { token: 'secret' } }: Deps = {}, folder?: string) {
  const where = folder ?? (await makeTemporaryFolder());
  const file = join(where, 'config');
  const config = {
    'current-context': 'prod',
    contexts: ['dev', 'prod'].map((name) => ({ name, context: { cluster: name, user: name } })),
    clusters: [
      { name: 'dev', cluster: { server: 'https://dev.example/', ...cluster } },
      { name: 'prod', cluster: { server: 'https://prod.example' } },
    ],
    users: [
      { name: 'dev', user },
      { name: 'prod', user: { token: 'of prod' } },
    ],
  };
  await writeFile(file, JSON.stringify(config));
  return file;
}

test('the files of KUBECONFIG, else the usual one', () => {
  expect(listKubeconfigs({ KUBECONFIG: '/a/b::/c' })).toEqual(['/a/b', '/c']);
  expect(listKubeconfigs({ HOME: '/home/me' })).toEqual(['/home/me/.kube/config']);
});

describe.each([fake, ...installed])('by %s', (kubectl) => {
  const find = (name: string, files: readonly string[]) => findKubeContext(name, { exec, kubectl, files });

  test('a copy holds the one kube context and nothing of another, its files inlined', async () => {
    const folder = await makeTemporaryFolder();
    await mkdir(join(folder, 'pki'));
    await writeFile(join(folder, 'pki/ca.pem'), 'the CA');
    const file = await writeConfig({ cluster: { 'certificate-authority': 'pki/ca.pem' } }, folder);
    const before = await readFile(file, 'utf8');
    const context = await find('dev', [file]);
    expect(context).toMatchObject({ name: 'dev', server: 'https://dev.example', ca: Buffer.from('the CA') });
    expect(context?.login).toBeUndefined();
    const copy = JSON.parse(context?.kubeconfig ?? '');
    expect(copy).toMatchObject({
      'current-context': 'dev',
      clusters: [{ cluster: { 'certificate-authority-data': Buffer.from('the CA').toString('base64') } }],
      users: [{ user: { token: 'secret' } }],
    });
    expect(context?.kubeconfig).not.toContain('prod');
    expect(await readFile(file, 'utf8')).toBe(before);
  });

  test('of two of one name the first counts, and what is missing in one file is looked for in the next', async () => {
    const first = await writeConfig({ cluster: { server: 'https://first.example' } });
    const second = await writeConfig();
    const missing = join(dirname(first), 'nowhere');
    expect((await find('dev', [missing, first, second]))?.server).toBe('https://first.example');
    expect(await find('staging', [first, second])).toBeUndefined();
  });

  test('a program that logs in is shown as it would be run, and is not run', async () => {
    const user = { exec: { ...aws, env: [{ name: 'AWS_PROFILE', value: 'dev' }] } };
    const context = await find('dev', [await writeConfig({ user })]);
    expect(context?.login).toEqual(['AWS_PROFILE=dev', 'aws', 'eks', 'get-token']);
    expect(context?.kubeconfig).toContain('get-token');
  });

  test.each<[string, Deps, string, number]>([
    ['another program', { user: { exec: { ...aws, command: './aws' } } }, 'runs ./aws to log in', 9],
    ['a plug-in of kubectl', { user: { 'auth-provider': { name: 'gcp' } } }, 'logs in by auth-provider', 9],
    ['a password', { user: { username: 'me', password: 'x' } }, 'logs in by username', 9],
    [
      'no check of the certificate',
      { cluster: { 'insecure-skip-tls-verify': true } },
      'does not check the certificate',
      9,
    ],
    ['no TLS', { cluster: { server: 'http://dev.example' } }, 'without TLS', 9],
    ['no address', { cluster: { server: 'dev' } }, 'without TLS', 9],
    ['a proxy', { cluster: { 'proxy-url': 'http://proxy' } }, 'uses a proxy', 5],
    [
      'a file that is gone',
      { cluster: { 'certificate-authority': 'gone.pem' } },
      'cannot be read (no such file or directory)',
      2,
    ],
    ['a token that is gone', { user: { tokenFile: 'gone' } }, 'names gone, which cannot be read', 2],
  ])('%s is refused', async (_, parts, message, exitCode) => {
    const file = await writeConfig(parts);
    await expect(find('dev', [file])).rejects.toMatchObject({
      message: expect.stringContaining(message),
      exitCode,
    });
    // The others are not concerned.
    expect((await find('prod', [file]))?.server).toBe('https://prod.example');
  });

  test.each([
    ['contexts: {a: b', 'is not a kubeconfig yaml: line 1: did not find expected'],
    ['contexts: yes', 'is not a kubeconfig json: cannot unmarshal'],
  ])('what is not a kubeconfig is refused without quoting it', async (text, says) => {
    const file = join(await makeTemporaryFolder(), 'config');
    await writeFile(file, text);
    const failure = await find('dev', [file]).catch((error) => error);
    expect(failure.exitCode).toBe(2);
    expect(`${failure.message} ${failure.cause}`).toContain(says);
  });

  test('a kube context whose user no file has is refused', async () => {
    const file = await writeConfig();
    await writeFile(file, (await readFile(file, 'utf8')).replace('"user":"dev"', '"user":"gone"'));
    await expect(find('dev', [file])).rejects.toMatchObject({
      message: 'kube context dev names a user that no file has',
      exitCode: 2,
    });
  });

  test('the file of a token is found beside the kubeconfig that names it', async () => {
    const other = await writeConfig({}, await makeTemporaryFolder());
    const folder = await makeTemporaryFolder();
    await writeFile(join(folder, 'token'), 'secret');
    const file = await writeConfig({ user: { tokenFile: 'token' } }, folder);
    await writeFile(other, '{}');
    const context = await find('dev', [other, file]);
    expect(JSON.parse(context?.kubeconfig ?? '').users[0].user).toEqual({ tokenFile: join(folder, 'token') });
  });
});
