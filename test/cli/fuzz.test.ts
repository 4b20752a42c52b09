import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseInput } from '../../src/cli/parse.ts';
import { commands } from '../../src/commands/index.ts';
import { Failure } from '../../src/lib/failure.ts';

test.each(Object.keys(commands))('%s: any words are read, or refused with exit code 2', async (name) => {
  const { command } = (await commands[name]?.load()) ?? {};
  if (!command) throw new Error(`no command ${name}`);
  const flags = Object.keys(command.options ?? {}).map(
    (key) => `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
  );
  const word = fc.oneof(
    fc.constantFrom(
      ...flags,
      '--',
      '-',
      '--json',
      '--quite',
      '--yes=',
      '-x',
      '--help',
      'auth-service',
      '-h',
      '=',
      '--=x',
    ),
    fc.constantFrom(
      '../x',
      'auth;id',
      '$(id)',
      '__proto__',
      'constructor',
      '--__proto__=1',
      '\u001b[31m',
      '',
    ),
    fc.string({ unit: 'binary', maxLength: 12 }),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 5 }), (words) => {
      try {
        const parsed = parseInput(name, command, words);
        expect(Object.keys(parsed)).toHaveLength(1);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        expect(error.exitCode).toBe(2);
        expect(error.message).not.toBe('');
      }
      expect(Object.keys(Object.prototype)).toEqual([]);
    }),
    { seed: 20_261_130, numRuns: 100 },
  );
});
