import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exec } from '../../../src/tools/exec.ts';
import { readKubeconfig } from '../../../src/tools/kubernetes/kubeconfig.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');

/** As kind writes it, with another cluster in it. */
const asKindWritesIt = `
apiVersion: v1
kind: Config
current-context: kind-other
contexts:
- context: { cluster: kind-other, user: kind-other }
  name: kind-other
- context: { cluster: kind-wealist, user: kind-wealist }
  name: kind-wealist
clusters:
- cluster: { server: "https://127.0.0.1:1" }
  name: kind-other
- cluster:
    certificate-authority-data: ${base64('authority')}
    server: https://127.0.0.1:6443
  name: kind-wealist
users:
- name: kind-other
  user: {}
- name: kind-wealist
  user:
    client-certificate-data: ${base64('certificate')}
    client-key-data: ${base64('the key')}
`;

async function read(text: string, context = 'kind-wealist') {
  const path = join(await makeTemporaryFolder(), 'kubeconfig');
  await writeFile(path, text);
  return readKubeconfig(path, context, exec);
}

test('the server and the certificates of the named kube context, whichever is the current one', async () => {
  const { server, ca, cert, key } = await read(asKindWritesIt);
  expect(server).toBe('https://127.0.0.1:6443');
  expect([ca, cert, key].map(String)).toEqual(['authority', 'certificate', 'the key']);
});

test.each([
  ['another kube context', asKindWritesIt, 'kind-mine'],
  ['a user that is missing', asKindWritesIt.replace('user: kind-wealist', 'user: nobody'), 'kind-wealist'],
  ['no YAML', `users: [${base64('the key')}`, 'kind-wealist'],
  ['nothing', '', 'kind-wealist'],
  ['no server', asKindWritesIt.replace('https://127.0.0.1:6443', 'here'), 'kind-wealist'],
])('%s is refused without a word of the key', async (_, text, context) => {
  const error = await read(text, context).catch((error) => error);
  expect(error).toMatchObject({ exitCode: 5, hint: 'npm run up' });
  expect(error.message).toContain(`has no usable kube context ${context}`);
  expect(String(error.cause)).not.toContain(base64('the key'));
});

test('a file that is not there', async () => {
  await expect(readKubeconfig('/nowhere/kubeconfig', 'kind-wealist', exec)).rejects.toMatchObject({
    cause: 'ENOENT',
  });
});
