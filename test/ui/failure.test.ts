import { expect, test } from 'vitest';
import { CommandFailure, Failure } from '../../src/lib/failure.ts';
import { describeFailure, toFailureValue } from '../../src/ui/failure.ts';
import { createColors } from '../../src/ui/style.ts';

const plain = createColors(false);

test('message, cause, command and fix, each on its line', () => {
  const cause = new CommandFailure('kubectl ended with exit code 1', {
    argv: ['kubectl', 'rollout', 'status', 'deployment/auth-service', '--timeout=60s', 'a b'],
    ...{ status: 1, stdout: '', stderr: 'Back-off', cause: 'Back-off restarting\nfailed container' },
  });
  const failure = new Failure('auth-service did not become ready in 60 s', {
    cause,
    hint: 'npm run logs auth-service',
  });
  expect(describeFailure(failure, plain)).toBe(
    [
      '✗ auth-service did not become ready in 60 s',
      '  because  kubectl ended with exit code 1',
      '  because  Back-off restarting',
      '           failed container',
      "  command  kubectl rollout status deployment/auth-service --timeout=60s 'a b'",
      '  fix      npm run logs auth-service',
    ].join('\n'),
  );
});

test('several failures, each complete', () => {
  const failures = [
    new Failure('a broke', { hint: 'fix a' }),
    new Failure('b broke', { cause: new Error('no b') }),
  ];
  const several = new Failure('2 steps failed', { cause: new AggregateError(failures) });
  expect(describeFailure(several, plain)).toBe('✗ a broke\n  fix      fix a\n\n✗ b broke\n  because  no b');
  expect(toFailureValue(several)).toMatchObject({
    message: '2 steps failed',
    failures: [
      { message: 'a broke', hint: 'fix a' },
      { message: 'b broke', because: ['no b'] },
    ],
  });
});

test('a message of several lines is indented', () => {
  const failure = new Failure('env/base.yaml:1:2 a: got 1\nenv/base.yaml:2:2 b: got 2');
  expect(describeFailure(failure, plain)).toBe('✗ env/base.yaml:1:2 a: got 1\n  env/base.yaml:2:2 b: got 2');
});

test('a bug shows its stack and where to report it; a failure shows no stack', () => {
  const bug = describeFailure(new TypeError('x is undefined'), plain);
  expect(bug).toMatch(/^✗ this is a bug in wealist-local\nTypeError: x is undefined\n {4}at /);
  expect(bug).toContain('git remote get-url origin');
  expect(describeFailure('thrown text', plain)).toContain('thrown text');
  expect(describeFailure(new Failure('expected'), plain)).toBe('✗ expected');
});
