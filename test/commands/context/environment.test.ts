import { expect, test } from 'vitest';
import { requireWritable } from '../../../src/commands/context/environment.ts';
import { command as down } from '../../../src/commands/down.ts';
import { command as forward } from '../../../src/commands/forward.ts';
import { command as kubectl } from '../../../src/commands/kubectl.ts';
import { command as reload } from '../../../src/commands/reload.ts';
import { command as up } from '../../../src/commands/up.ts';
import { chooseEnvironment } from '../../../src/state/chosen-environment.ts';
import { environment, makeApp } from '../../fakes/app.ts';
import { makeClusterFolder } from '../../fakes/cluster-folder.ts';

const { cluster: _, ...elsewhere } = { ...environment, name: 'prod' };

test('an environment of this machine passes, and is named', () => {
  const { ui, stderr } = makeApp({ state: '/nowhere' });
  expect(requireWritable({ ui }, environment, 'up')).toBe(environment);
  expect(stderr()).toBe('environment local-kind\n');
});

// What an app of this test is asked to change, or to run, ends the test.
test.each([
  ['up', up, { services: [], yes: true }],
  ['up', up, { services: [], yes: true, name: 'other' }],
  ['up', up, { services: [], dryRun: true }],
  ['reload', reload, { services: ['auth-service'] }],
  ['down', down, { yes: true }],
  ['down', down, { deleteData: true, yes: true }],
  ['forward', forward, { targets: ['postgres'] }],
  ['kubectl', kubectl, { words: ['delete', 'namespace', 'wealist-prod'] }],
])('%s is refused for any other, before anything is asked', async (name, command, input) => {
  const state = await makeClusterFolder();
  await chooseEnvironment({ state }, 'prod');
  const exec = () => {
    throw new Error('a program was run');
  };
  const { app } = makeApp({ state });
  await expect(
    command.run({ ...app, exec, environment: async () => elsewhere }, input),
  ).rejects.toMatchObject({
    message: `${name} is refused: environment prod is remote, read-only`,
    hint: 'npm run env use local-kind',
    exitCode: 9,
  });
});
