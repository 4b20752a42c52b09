import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { chooseEnvironment, findChosenEnvironment } from '../../src/state/chosen-environment.ts';
import { findTrust, writeTrust } from '../../src/state/trust.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const fingerprint = { server: 'https://dev.example', ca: 'ab', uid: undefined, login: ['aws'] };

test('what was chosen and what was trusted is found again', async () => {
  const paths = { state: await makeTemporaryFolder() };
  expect(await findChosenEnvironment(paths)).toBe('local-kind');
  await chooseEnvironment(paths, 'dev');
  expect(await findChosenEnvironment(paths)).toBe('dev');

  expect(await findTrust(paths, 'dev')).toBeUndefined();
  await writeTrust(paths, 'dev', { context: 'my-dev', fingerprint });
  expect(await findTrust(paths, 'dev')).toEqual({ context: 'my-dev', fingerprint });
  expect(await findTrust(paths, 'prod')).toBeUndefined();
  expect((await stat(join(paths.state, 'remote/dev.json'))).mode & 0o777).toBe(0o600);
});

test.each(['', '{', '{"version":2,"context":"a"}', '{"version":1,"context":"a","fingerprint":{}}', 'null'])(
  'a damaged record chooses and trusts nothing: %j',
  async (text) => {
    const paths = { state: await makeTemporaryFolder() };
    await writeTrust(paths, 'dev', { context: 'my-dev', fingerprint });
    await writeFile(join(paths.state, 'remote/dev.json'), text);
    await writeFile(join(paths.state, 'environment.json'), text);
    expect(await findTrust(paths, 'dev')).toBeUndefined();
    expect(await findChosenEnvironment(paths)).toBe('local-kind');
    expect((await stat(join(paths.state, 'remote/dev.json.bad'))).isFile()).toBe(true);
  },
);
