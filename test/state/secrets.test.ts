import { chmod, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { scrubSecrets } from '../../src/lib/secret-values.ts';
import { ensureSecrets, findSecrets } from '../../src/state/secrets.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

async function makeOptions(own: Readonly<Record<string, string>> = {}) {
  const folder = await makeTemporaryFolder();
  const paths = { state: join(folder, 'state'), data: join(folder, 'data') };
  return { paths, cluster: 'wealist', environment: 'local-kind', own };
}

const storeOf = ({ paths }: Awaited<ReturnType<typeof makeOptions>>) =>
  join(paths.data, 'wealist/secrets.yaml');

test('are made once, long enough for those who use them, and differ from each other', async () => {
  const options = await makeOptions();
  const { values } = await ensureSecrets(options);
  expect(Buffer.byteLength(values.JWT_SECRET)).toBeGreaterThanOrEqual(64);
  expect(values.LIVEKIT_API_SECRET.length).toBeGreaterThanOrEqual(32);
  expect(values.REDIS_PASSWORD).toBe('');
  expect(values.GOOGLE_CLIENT_ID).not.toBe('');
  const random = Object.values(values).filter((value) => /^[0-9a-f]{32,}$/.test(value));
  expect(new Set(random).size).toBe(7);
  expect(await ensureSecrets(options)).toEqual({ values, file: expect.any(String) });
});

test('outlive the checkout with the data, and the file for Helm is made again', async () => {
  const options = await makeOptions();
  const { values, file } = await ensureSecrets(options);
  await rm(options.paths.state, { recursive: true });
  expect(await findSecrets(options)).toBeUndefined();
  expect((await ensureSecrets(options)).values).toEqual(values);
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ shared: { secrets: values } });
});

test('are readable by their owner only', async () => {
  const options = await makeOptions();
  const { file } = await ensureSecrets(options);
  for (const path of [file, storeOf(options)]) expect((await stat(path)).mode & 0o777).toBe(0o600);
  for (const path of [dirname(file), dirname(storeOf(options))])
    expect((await stat(path)).mode & 0o777).toBe(0o700);
});

test('what is missing is added, what is there stays', async () => {
  const options = await makeOptions();
  await mkdir(dirname(storeOf(options)), { recursive: true });
  await writeFile(
    storeOf(options),
    JSON.stringify({ shared: { secrets: { DB_PASSWORD: 'written-with-the-data' } } }),
  );
  expect(await findSecrets(options)).toBeUndefined();
  const { values } = await ensureSecrets(options);
  expect(values.DB_PASSWORD).toBe('written-with-the-data');
  expect(values.JWT_SECRET).toHaveLength(128);
});

test('those of the user override key by key, and do not change the stored ones', async () => {
  const options = await makeOptions();
  const { values } = await ensureSecrets(options);
  const own = { ...options, own: { GOOGLE_CLIENT_ID: 'mine.apps.googleusercontent.com' } };
  expect(await findSecrets(own)).toBeUndefined();
  expect((await ensureSecrets(own)).values).toEqual({ ...values, ...own.own });
  expect((await findSecrets(own))?.values.GOOGLE_CLIENT_ID).toBe('mine.apps.googleusercontent.com');
  expect((await ensureSecrets(options)).values).toEqual(values);
});

test('damaged ones are never replaced, and the message does not repeat them', async () => {
  const options = await makeOptions();
  await ensureSecrets(options);
  for (const text of [
    '{"shared":{"secrets":{"DB_PASSWORD":"hunter2-hunter2',
    '{}',
    '',
    '{"shared":{"secrets":{"A":1}}}',
  ]) {
    await writeFile(storeOf(options), text);
    const failure = await ensureSecrets(options).catch((error) => error);
    expect(failure).toMatchObject({ exitCode: 2, message: expect.stringContaining(storeOf(options)) });
    expect(`${failure.message}${failure.cause}`).not.toContain('hunter2');
    expect(await readFile(storeOf(options), 'utf8')).toBe(text);
  }
});

test('ones that may not be read are not taken for missing', async () => {
  // The superuser may read everything.
  if (process.getuid?.() === 0) return;
  const options = await makeOptions();
  await ensureSecrets(options);
  await chmod(storeOf(options), 0);
  await expect(ensureSecrets(options)).rejects.toMatchObject({ code: 'EACCES' });
});

test('once known they do not appear in output, in whatever coding; placeholders and words may', async () => {
  const { values } = await ensureSecrets(
    await makeOptions({ DB_PASSWORD: 'p@ss/w0rd+', INTERNAL_API_KEY: 'postgres' }),
  );
  const coded = (value: string) => [value, encodeURIComponent(value), Buffer.from(value).toString('base64')];
  for (const value of [values.JWT_SECRET, 'p@ss/w0rd+']) {
    for (const text of coded(value)) expect(scrubSecrets(`url=${text}!`)).toBe('url=***!');
  }
  expect(scrubSecrets(`postgres ${values.GOOGLE_CLIENT_ID}`)).toBe(`postgres ${values.GOOGLE_CLIENT_ID}`);
});
