import { expect, test } from 'vitest';
import { readSettings } from '../../../services/common/settings.ts';

test('reports all problems at once, without the values of URLs', () => {
  const settings = readSettings({
    EMPTY: '',
    SHORT: 'äöü',
    ADDRESS: 'postgres//user:password@host',
    NUMBER: '12a',
    SERVER_PORT: '70000',
  });
  settings.text('MISSING');
  settings.text('EMPTY');
  settings.text('SHORT', { minBytes: 64 });
  settings.url('ADDRESS');
  settings.count('NUMBER', 1);
  settings.port();
  expect(() => settings.check()).toThrow(
    'configuration: MISSING is not set; EMPTY is not set; SHORT is 6 bytes long, minimum is 64; ' +
      'ADDRESS is not a URL; NUMBER is "12a", not an integer from 1 to 9007199254740991; ' +
      'SERVER_PORT is "70000", not an integer from 1 to 65535',
  );
});

test('reports no problem for a valid configuration', () => {
  const settings = readSettings({ A: 'x', B: 'http://minio:9000/', C: '5', D: '' });
  expect(settings.text('A')).toBe('x');
  expect(settings.url('B')).toBe('http://minio:9000');
  expect(settings.count('C', 1)).toBe(5);
  expect(settings.count('ABSENT', 7)).toBe(7);
  expect(settings.optional('D')).toBeUndefined();
  expect(() => settings.check()).not.toThrow();
});

test.each([
  [{ PORT: '8001' }, 8001],
  [{ PORT: '8001', SERVER_PORT: '8080' }, 8080],
  [{ PORT: '8001', SERVER_PORT: '' }, 8001],
])('the port of %j is %i', (env, port) => {
  expect(readSettings(env).port()).toBe(port);
});

test('a port must be set', () => {
  const settings = readSettings({ SERVER_PORT: '' });
  settings.port();
  expect(() => settings.check()).toThrow('configuration: PORT is not set');
});
