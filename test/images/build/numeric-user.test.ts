import { expect, test } from 'vitest';
import { withNumericUser } from '../../../src/images/build/numeric-user.ts';
import { packLayer } from '../../../src/images/store/layer.ts';
import { openStore } from '../../../src/images/store/store.ts';
import { toImageConfig } from '../../../src/lib/oci.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

/** The user that an image with these layers, lowest first, gets. */
async function userOf(User: string | undefined, ...accounts: readonly Readonly<Record<string, string>>[]) {
  const store = openStore(await makeTemporaryFolder());
  const layers = await Promise.all(
    accounts.map((files) =>
      store.putBlob(packLayer(Object.entries(files).map(([path, content]) => ({ path, content })))),
    ),
  );
  const config = toImageConfig(layers, { Cmd: ['run'], ...(User === undefined ? {} : { User }) }, 'amd64');
  const image = await withNumericUser({ config, layers }, store);
  expect(image.layers).toEqual(layers);
  return JSON.parse(image.config).config.User;
}

const base = { 'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n', 'etc/group': 'root:x:0:\n' };
const added = {
  'etc/passwd': `${base['etc/passwd']}spring:x:999:998::/home/spring:/bin/sh\n`,
  'etc/group': `${base['etc/group']}spring:x:998:\napp:x:1500:spring\n`,
};
const program = { 'srv/etc/passwd': 'spring:x:1:1::/:\n', 'app.jar': 'jar' };

test('a name becomes the number that the uppermost /etc/passwd of the image has', async () => {
  expect(await userOf('spring', base, added, program)).toBe('999:998');
  expect(await userOf('spring:app', base, added)).toBe('999:1500');
  expect(await userOf('spring:7', base, added)).toBe('999:7');
});

test('a number stays', async () => {
  expect(await userOf('1000')).toBe('1000');
  expect(await userOf('1000:app')).toBe('1000:app');
});

test('root, or no user, becomes the user of the charts', async () => {
  for (const user of [undefined, '', '0', '0:0', 'root', 'root:root'])
    expect(await userOf(user, base)).toBe('10001:10001');
  expect(await userOf('toor', { 'etc/passwd': 'toor:x:0:0::/:\n' })).toBe('10001:10001');
});

test('a name that the image does not have is refused', async () => {
  await expect(userOf('spring', base)).rejects.toThrow(
    'the image runs as spring, which is not in its /etc/passwd',
  );
  await expect(userOf('spring:nobody', added)).rejects.toThrow(
    'runs as nobody, which is not in its /etc/group',
  );
});
