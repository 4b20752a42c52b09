import { createHash } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bundleStandIn } from '../../../src/images/build/bundle.ts';
import { answerOf, bundleEnv, findFreePort, runBundle } from '../../images/build/run-bundle.ts';
import { fetchJson } from '../start.ts';

const folder = join(import.meta.dirname, '../../../services/auth-service');
const files = await bundleStandIn(folder, { name: 'auth-service', sourceHash: 'first' });
const text = Buffer.from(files.find(({ path }) => path === 'app/main.js')?.content ?? '').toString();
const refusal = 'login without a password exists only where ENV is local';

/**
 * Runs the program. `put` replaces its file, as a live update does, and resolves to the status that it reports then.
 */
async function startProgram() {
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}`;
  const google = { GOOGLE_CLIENT_ID: 'id', GOOGLE_CLIENT_SECRET: 'secret' };
  const running = await runBundle(files, { ...bundleEnv, ...google, PORT: String(port) });
  await answerOf(`${url}/health/live`);
  const file = join(running.folder, 'app/main.js');
  return {
    url,
    exitCode: () => running.program.exitCode,
    async put(program: string) {
      await writeFile(`${file}.new`, program);
      await rename(`${file}.new`, file);
      const digest = createHash('sha256').update(program).digest('hex');
      const state = async () => (await fetchJson(`${url}/health/program`)).body;
      await expect.poll(state).toMatchObject({ program: digest });
      return state();
    },
  };
}

const logIn = (url: string) => fetchJson(`${url}/api/auth/login`, { method: 'POST', body: '{"name":"ann"}' });

test('another version replaces the program in the same process, with its own routes and version', async () => {
  const { url, put, exitCode } = await startProgram();
  expect((await logIn(url)).body).toEqual({ error: refusal });
  const before = (await fetchJson(`${url}/`)).body as { started: string };

  const state = await put(text.replace(refusal, 'the second one').replaceAll('"first"', '"second"'));
  expect(state).not.toHaveProperty('refused');
  // The new program has its own HttpError class, which must still be recognized.
  expect(await logIn(url)).toEqual({ status: 403, body: { error: 'the second one' } });
  expect((await fetchJson(`${url}/`)).body).toMatchObject({ sourceHash: 'second', started: before.started });

  await put(text);
  expect((await logIn(url)).body).toEqual({ error: refusal });
  expect(exitCode()).toBeNull();
});

test.each([
  ['cannot be loaded', (program: string) => `throw new Error('no such luck');\n${program}`, 'no such luck'],
  ['is no program', () => 'const const', 'Unexpected token'],
  [
    'connects to something else',
    (program: string) => program.replace('peer(settings, "user-service")', 'peer(settings, "board-service")'),
    'the changed program needs other connections, which requires a restart',
  ],
])(
  'a version that %s is rejected with the reason, and the previous one continues',
  async (_, change, reason) => {
    const { url, put } = await startProgram();
    const changed = change(text.replace(refusal, 'the second one'));
    expect(changed).not.toBe(text);
    expect(await put(changed)).toMatchObject({ refused: expect.stringContaining(reason) });
    expect((await logIn(url)).body).toEqual({ error: refusal });
    // The fixed version is accepted.
    expect(await put(text.replace(refusal, 'the third one'))).not.toHaveProperty('refused');
    expect((await logIn(url)).body).toEqual({ error: 'the third one' });
  },
);
