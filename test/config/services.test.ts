import { beforeEach, describe, expect, test } from 'vitest';
import { loadEnvironment } from '../../src/config/load.ts';
import type { Environment } from '../../src/config/schema.ts';
import { getService, selectServices } from '../../src/config/services.ts';
import { createCheckout } from './checkout.ts';

let environment: Environment;
beforeEach(async () => {
  environment = await loadEnvironment({ checkout: await createCheckout(), name: 'local-kind' });
});

describe('selection', () => {
  test('of nothing is everything, in the order of the environment', () => {
    expect(selectServices(environment, [])).toEqual({
      services: Object.keys(environment.services),
      infrastructure: ['postgres', 'redis', 's3'],
    });
  });

  test('takes what a service needs, directly or not', () => {
    expect(selectServices(environment, ['auth-service'])).toEqual({
      services: ['auth-service'],
      infrastructure: ['redis'],
    });
    expect(selectServices(environment, ['chat-service'])).toEqual({
      services: ['auth-service', 'user-service', 'chat-service'],
      infrastructure: ['postgres', 'redis', 's3'],
    });
  });

  test('keeps the order of the environment, each service once', () => {
    const names = ['noti-service', 'auth-service', 'noti-service'];
    expect(selectServices(environment, names).services).toEqual(['auth-service', 'noti-service']);
  });

  test('takes infrastructure by its name', () => {
    expect(selectServices(environment, ['s3'])).toEqual({ services: [], infrastructure: ['s3'] });
  });

  test.each([
    ['auth-servce', '"auth-servce" is not a service, nearest is auth-service'],
    ['chat', '"chat" is not a service, nearest is chat-service'],
    ['Redis', '"Redis" is not a service, nearest is redis'],
    ['constructor', '"constructor" is not a service'],
    ['__proto__', '"__proto__" is not a service'],
    ['\u202eecivres', '"\\u{202e}ecivres" is not a service'],
  ])('refuses %j', (name, message) => {
    expect(() => selectServices(environment, [name])).toThrow(
      expect.objectContaining({
        message,
        exitCode: 2,
        hint: expect.stringContaining('auth-service, user-service'),
      }),
    );
  });
});

test('a service is found by its name alone', () => {
  expect(getService(environment, 'board-service').port).toBe(8000);
  expect(() => getService(environment, 'redis')).toThrow('"redis" is not a service');
  expect(() => getService(environment, 'constructor')).toThrow('"constructor" is not a service');
});
