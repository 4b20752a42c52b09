import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadOwnSecrets } from '../../src/config/own-secrets.ts';
import { scrubSecrets } from '../../src/lib/secret-values.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const file = 'helm/environments/local-kind-secrets.yaml';

async function load(text?: string) {
  const checkout = await makeTemporaryFolder();
  await mkdir(join(checkout, 'helm/environments'), { recursive: true });
  if (text !== undefined) await writeFile(join(checkout, file), text);
  return loadOwnSecrets(checkout, 'local-kind');
}

const inFile = (...lines: string[]) =>
  ['shared:', '  secrets:', ...lines.map((line) => `    ${line}`), ''].join('\n');

test('there are none without the file', async () => {
  expect(await load()).toEqual({});
  expect(await load('# nothing yet\n')).toEqual({});
});

test("the user's own secrets, known ones and those of their own services, are hidden from all output", async () => {
  const text = inFile(
    'GOOGLE_CLIENT_ID: mine.apps.googleusercontent.com',
    'STRIPE_KEY: sk_test_51H8f9',
    'REDIS_PASSWORD: ""',
  );
  expect(await load(text)).toEqual({
    ...{
      GOOGLE_CLIENT_ID: 'mine.apps.googleusercontent.com',
      STRIPE_KEY: 'sk_test_51H8f9',
      REDIS_PASSWORD: '',
    },
  });
  expect(scrubSecrets('key sk_test_51H8f9')).toBe('key ***');
});

test.each([
  [
    inFile('JWT_SECRET: too-short-hunter2'),
    '3:17 shared.secrets.JWT_SECRET: got 17 bytes, expected at least 64',
  ],
  [inFile('GOOGLE_CLIENT_ID: ""'), '3:23 shared.secrets.GOOGLE_CLIENT_ID: got 0 bytes, expected at least 1'],
  [
    inFile('DB_PASSWORD: 12345678'),
    '3:18 shared.secrets.DB_PASSWORD: expected a text: put the value in quotes',
  ],
  [
    inFile('JWT_SECERT: hunter2hunter2'),
    '3:5 shared.secrets.JWT_SECERT: got an unknown key, nearest is JWT_SECRET',
  ],
  [inFile('some-key: hunter2hunter2'), '3:5 shared.secrets.some-key: expected a name of A-Z, 0-9 and _'],
  ['secrets:\n  A: hunter2\n', '1:1 secrets: got an unknown key, expected shared'],
  ['shared:\n  secrets: [hunter2]\n', '2:12 shared.secrets: got a list, expected keys with values'],
])('%j is refused with its place, and without its value', async (text, message) => {
  const failure = await load(text).catch((error) => error);
  expect(failure).toMatchObject({ message: `${file}:${message}`, exitCode: 2 });
  expect(failure.message).not.toContain('hunter2');
});

test('all problems are reported at once', async () => {
  const failure = await load(inFile('JWT_SECRET: x', 'LIVEKIT_API_SECRET: z')).catch((error) => error);
  expect(failure.message.split('\n')).toHaveLength(2);
});

test('a symbolic link is not followed out of the checkout', async () => {
  const checkout = await makeTemporaryFolder();
  await mkdir(join(checkout, 'helm/environments'), { recursive: true });
  await symlink('/etc/passwd', join(checkout, file));
  await expect(loadOwnSecrets(checkout, 'local-kind')).rejects.toMatchObject({ exitCode: 2 });
});
