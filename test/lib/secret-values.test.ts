import { expect, test } from 'vitest';
import { hideSecrets, scrubSecrets } from '../../src/lib/secret-values.ts';

const secret = 'pa"ss\\word\n42';

test('a secret is hidden as JSON has it, also in JSON within JSON', () => {
  hideSecrets([secret]);
  expect(scrubSecrets(`is ${secret}.`)).toBe('is ***.');
  const json = JSON.stringify({ password: secret });
  expect(scrubSecrets(json)).toBe('{"password":"***"}');
  expect(scrubSecrets(JSON.stringify({ line: json }))).toBe('{"line":"{\\"password\\":\\"***\\"}"}');
});

test('of a secret that holds another, nothing remains', () => {
  hideSecrets(['Correct1horse', 'Correct1horse2battery']);
  expect(scrubSecrets('Correct1horse2battery')).toBe('***');
});
