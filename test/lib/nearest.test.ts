import { describe, expect, test } from 'vitest';
import { findNearest } from '../../src/lib/nearest.ts';

const services = ['auth-service', 'user-service', 'board-service', 'redis', 's3'];

describe('nearest', () => {
  test.each([
    ['auth-service', 'auth-service'],
    ['auth-servce', 'auth-service'],
    ['auth-serivce', 'auth-service'],
    ['uath-serivce', 'auth-service'],
    ['AUTH-SERVICE', 'auth-service'],
    ['auth', 'auth-service'],
    ['b', 'board-service'],
    ['redsi', 'redis'],
    ['s4', 's3'],
    ['', undefined],
    ['db', undefined],
    ['xyz-service', undefined],
    ['authentication', undefined],
    ['x'.repeat(100_000), undefined],
  ])('of %.20j is %j', (word, nearest) => {
    expect(findNearest(word, services)).toBe(nearest);
  });

  test('is the one with fewer edits, the first of equals', () => {
    expect(findNearest('cort', ['court', 'port', 'sort'])).toBe('court');
    expect(findNearest('route', ['rout-es', 'routes'])).toBe('routes');
  });

  test('is a slip of the fingers before a continuation', () => {
    expect(findNearest('port', ['portal-service', 'ports'])).toBe('ports');
  });
});
