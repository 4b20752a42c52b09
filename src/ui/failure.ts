import { CommandFailure, Failure } from '../lib/failure.ts';
import { toShellWord } from '../lib/shell-word.ts';
import { type Colors, toSymbol } from './style.ts';

/** Text of a failure: what failed, why, the command that failed, and the fix; for a bug, its stack. */
export function describeFailure(error: unknown, colors: Colors): string {
  const failures =
    error instanceof Failure && error.cause instanceof AggregateError ? error.cause.errors : [error];
  return failures.map((failure) => describeOne(failure, colors)).join('\n\n');
}

/** The JSON value of a failure. */
export function toFailureValue(error: unknown): object {
  if (!(error instanceof Failure)) return { message: String(error), bug: true };
  const { message, hint, exitCode } = error;
  const several = error.cause instanceof AggregateError ? error.cause.errors.map(toFailureValue) : undefined;
  return { message, because: several ? undefined : listCauses(error), hint, exitCode, failures: several };
}

function describeOne(error: unknown, colors: Colors): string {
  if (!(error instanceof Failure)) return describeBug(error, colors);
  const [first = '', ...more] = error.message.split('\n');
  const commands = listErrors(error).filter((each) => each instanceof CommandFailure);
  return [
    `${toSymbol('failed', colors)} ${colors.bold(first)}`,
    ...more.map((line) => `  ${line}`),
    ...listCauses(error).map((cause) => toField('because', cause, colors)),
    ...commands.map(({ argv }) => toField('command', argv.map(toShellWord).join(' '), colors)),
    ...(error.hint === undefined ? [] : [toField('fix', error.hint, colors)]),
  ].join('\n');
}

function describeBug(error: unknown, colors: Colors): string {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return [
    `${toSymbol('failed', colors)} ${colors.bold('this is a bug in wealist-local')}`,
    stack,
    toField('fix', 'report it with the lines above; the repository: git remote get-url origin', colors),
  ].join('\n');
}

/** The error and what caused it, outermost first. */
function listErrors(error: Error): readonly Error[] {
  return error.cause instanceof Error ? [error, ...listErrors(error.cause)] : [error];
}

/** Messages of the causes without repetitions; the last cause may be plain text. */
function listCauses(error: Error): readonly string[] {
  const [, ...causes] = listErrors(error);
  const evidence = [error, ...causes].at(-1)?.cause;
  const texts = [
    ...causes.map(({ message }) => message),
    ...(evidence === undefined ? [] : [String(evidence)]),
  ];
  return [...new Set(texts.map((text) => text.trim()).filter((text) => text !== ''))];
}

function toField(name: string, text: string, colors: Colors): string {
  return text
    .split('\n')
    .map((line, index) => `  ${index === 0 ? colors.dim(name.padEnd(9)) : ' '.repeat(9)}${line}`)
    .join('\n');
}
