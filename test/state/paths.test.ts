import { userInfo } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findPaths } from '../../src/state/paths.ts';

test.each(['', 'relative/home'])('with HOME=%j the folders are those of the account', (home) => {
  const { HOME } = process.env;
  process.env.HOME = home;
  onTestFinished(() => {
    process.env.HOME = HOME;
  });
  expect(findPaths({ HOME: home })).toMatchObject({
    cache: join(userInfo().homedir, '.cache/wealist-local'),
    data: join(userInfo().homedir, '.local/share/wealist-local'),
  });
});

test('a relative path in an XDG variable is ignored', () => {
  const { cache, data } = findPaths({ XDG_CACHE_HOME: 'cache', XDG_DATA_HOME: '/data' });
  expect(cache).toMatch(/^\/.*\/\.cache\/wealist-local$/);
  expect(data).toBe('/data/wealist-local');
});
