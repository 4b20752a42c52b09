import { expect, test } from 'vitest';
import { createRouter } from '../../../services/common/router.ts';

const find = createRouter([
  { method: 'GET', path: '/' },
  { method: 'GET', path: '/boards/:id' },
  { method: 'GET', path: '/boards' },
  { method: 'POST', path: '/boards' },
  { method: 'GET', path: '/boards/calls' },
  { method: 'PUT', path: '/boards/:id/content' },
]);
const match = (method: string, path: string) => find(method, path).route.path;

test('a literal has precedence over a parameter, independent of the order', () => {
  expect(match('GET', '/boards/calls')).toBe('/boards/calls');
  expect(match('GET', '/boards/7')).toBe('/boards/:id');
  expect(match('GET', '/')).toBe('/');
});

test('parameters are decoded', () => {
  expect(find('PUT', '/boards/a%2Fb/content').params).toEqual({ id: 'a/b' });
});

test.each([
  ['GET', '/nothing', 404],
  ['GET', '/boards/', 404],
  ['GET', '/boards/7/content/8', 404],
  ['DELETE', '/boards', 405],
  ['GET', '/boards/%ff', 400],
])('%s %s is %i', (method, path, status) => {
  expect(() => find(method, path)).toThrow(expect.objectContaining({ status }));
});

test('405 lists the supported methods', () => {
  expect(() => find('DELETE', '/boards')).toThrow(
    expect.objectContaining({ headers: { allow: 'GET, POST' } }),
  );
});
