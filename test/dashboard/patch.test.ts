import fc from 'fast-check';
import { expect, test } from 'vitest';
import { applyChanges, toChanges } from '../../src/dashboard/patch.ts';

// As JSON has it, which knows no -0.
const json = fc
  .dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }))
  .map((value) => JSON.parse(JSON.stringify(value)));

test('the changes between two values, applied to the first, give the second', () => {
  fc.assert(
    fc.property(json, json, (before, after) => {
      // What is sent is JSON.
      const changes = JSON.parse(JSON.stringify(toChanges(before, after)));
      expect(applyChanges(before, changes)).toEqual(after);
    }),
  );
});

test('what has not changed stays the same object', () => {
  const before = { one: { a: [1] }, two: { b: 1, c: 2 } };
  const after = applyChanges(before, [[['two', 'b'], 5], [['two', 'c']]]);
  expect(after).toEqual({ one: { a: [1] }, two: { b: 5 } });
  expect(after.one).toBe(before.one);
});
