import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lacksNewGroup, parseGroups } from '../../src/machine/new-group.ts';
import { makeHost } from '../fakes/host.ts';

test('the groups of a file, each with those who have it beside their own', () => {
  expect(parseGroups('root:x:0:\ndocker:x:999:ada,bob\n\n# damaged\n')).toEqual([
    { name: 'root', id: 0, members: [''] },
    { name: 'docker', id: 999, members: ['ada', 'bob'] },
  ]);
});

const isRoot = process.getuid?.() === 0;

/** A machine whose user ada was added to the group docker; its socket is open to no one but root. */
async function makeMachine({
  groups = 'docker:x:999:ada',
  mode = 0o000,
  programs = { sg: '' } as object,
} = {}) {
  const { root, host } = await makeHost({ programs: { ...programs } });
  await mkdir(join(root, 'var/run'), { recursive: true });
  await mkdir(join(root, 'etc'), { recursive: true });
  await writeFile(join(root, 'etc/group'), `${groups}\n`);
  await writeFile(join(root, 'var/run/docker.sock'), '');
  await chmod(join(root, 'var/run/docker.sock'), mode);
  return { root, env: host.env, user: 'ada', groups: [1000] };
}

// Root is refused by no socket, and lacks no group.
test.skipIf(isRoot)('a user who was added to the group after logging in', async () => {
  expect(await lacksNewGroup(await makeMachine())).toBe(true);
});

test.each([
  ['may use the socket', { mode: 0o600 }, {}],
  ['is not in the group', { groups: 'docker:x:999:bob' }, {}],
  ['is in a group whose name is similar', { groups: 'dockerroot:x:999:ada' }, {}],
  ['has the group already', {}, { groups: [1000, 999] }],
  ['has another engine', {}, { env: { DOCKER_HOST: 'unix:///run/other.sock' } }],
  ['has no sg', { programs: {} }, {}],
])('but not one who %s', async (_, machine, changes) => {
  expect(await lacksNewGroup({ ...(await makeMachine(machine)), ...changes })).toBe(false);
});
