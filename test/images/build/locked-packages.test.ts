import { expect, test } from 'vitest';
import { describeLockedPackages } from '../../../src/images/build/locked-packages.ts';

const lockFile = JSON.stringify({
  packages: {
    '': { version: '0.1.0', dependencies: { pg: '1', other: '1' } },
    'node_modules/pg': { version: '1.0.0', integrity: 'sha512-pg', dependencies: { shared: '1', own: '1' } },
    'node_modules/pg/node_modules/shared': { version: '2.0.0', integrity: 'sha512-shared-2' },
    'node_modules/shared': { version: '1.0.0', integrity: 'sha512-shared-1' },
    'node_modules/own': { version: '3.0.0', dependencies: { shared: '1', pg: '1', optional: '1' } },
    'node_modules/@scope/name': { version: '4.0.0', integrity: 'sha512-scope', dependencies: { inner: '1' } },
    'node_modules/@scope/name/node_modules/inner': {
      version: '5.0.0',
      integrity: 'sha512-inner',
      optionalDependencies: { shared: '1' },
    },
    'node_modules/other': { version: '6.0.0' },
  },
});

test('follows dependencies, each resolved from its importer, cycles included', () => {
  expect(describeLockedPackages(lockFile, ['pg', '@scope/name'])).toEqual([
    'node_modules/@scope/name 4.0.0 sha512-scope',
    'node_modules/@scope/name/node_modules/inner 5.0.0 sha512-inner',
    'node_modules/own 3.0.0 without integrity',
    'node_modules/pg 1.0.0 sha512-pg',
    'node_modules/pg/node_modules/shared 2.0.0 sha512-shared-2',
    'node_modules/shared 1.0.0 sha512-shared-1',
  ]);
});
