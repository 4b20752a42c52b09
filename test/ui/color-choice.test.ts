import { expect, test } from 'vitest';
import { readColorChoice } from '../../src/ui/color-choice.ts';

test.each([
  [{}, 'auto'],
  [{ FORCE_COLOR: '1' }, 'always'],
  [{ FORCE_COLOR: 'true' }, 'always'],
  [{ FORCE_COLOR: '0' }, 'never'],
  [{ FORCE_COLOR: '', NO_COLOR: '' }, 'auto'],
  [{ NO_COLOR: '1', FORCE_COLOR: '1' }, 'never'],
])('%j: %s', (env, choice) => {
  expect(readColorChoice(env)).toBe(choice);
});
