import { expect, test } from 'vitest';
import { takeRunOrigin, toRunVariables } from '../../src/state/run-origin.ts';

const id = '01234567-89ab-4cde-8f01-23456789abcd';

test.each([
  ['typed in a terminal', {}, { trigger: 'terminal', runId: undefined }],
  ['by npm', { npm_lifecycle_event: 'up' }, { trigger: 'npm', runId: undefined }],
  ['by an agent', toRunVariables({ trigger: 'agent', runId: id }), { trigger: 'agent', runId: id }],
  [
    'by another program',
    { WEALIST_TRIGGER: 'x', WEALIST_RUN: '../x' },
    { trigger: 'terminal', runId: undefined },
  ],
] as const)('a run that was started %s', (_, variables, origin) => {
  const env: NodeJS.ProcessEnv = { ...variables };
  expect(takeRunOrigin(env)).toEqual(origin);
  // What it starts itself is another run.
  expect(takeRunOrigin(env)).toMatchObject({ runId: undefined });
});
