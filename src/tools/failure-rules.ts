import { type ExitCode, exitCodes, Failure, type FailureOptions } from '../lib/failure.ts';

/** A failure of a program that is recognised by what the program prints. */
export interface FailureRule {
  readonly pattern: RegExp;
  /** `$1` or `$<name>` stands for a group of the pattern. */
  readonly hint: string;
  /** Where it differs from that of the program's other failures. */
  readonly exitCode?: ExitCode;
  /** In place of `<program> ended with exit code <n>`. */
  readonly message?: string;
}

/** The exit codes and hints of a program's failures; they stand in the file that runs the program. */
export interface FailureRules {
  /** For a failure that no rule matches. */
  readonly exitCode: ExitCode;
  readonly hint?: string;
  /** The fix where the program is not installed. */
  readonly installHint?: string;
  /** The first match counts. */
  readonly rules: readonly FailureRule[];
}

/** For the programs of the operating system: whatever they report is a failure of this machine. */
export const systemFailures: FailureRules = { exitCode: exitCodes.host, rules: [] };

/** The first rule that matches what a program printed, its hint filled in; undefined when it is no known failure. */
export function findRule(rules: readonly FailureRule[], output: string): FailureRule | undefined {
  const rule = rules.find(({ pattern }) => pattern.test(output));
  const [matched = ''] = rule?.pattern.exec(output) ?? [];
  return rule && { ...rule, hint: matched.replace(rule.pattern, rule.hint) };
}

/** Hint and exit code for a failure that `cause` led to: its own, where it is one of a program or of the API server. */
export function inheritFrom(
  cause: unknown,
  failures: FailureRules,
): Required<Pick<FailureOptions, 'hint' | 'exitCode'>> {
  const { hint, exitCode } = cause instanceof Failure ? cause : failures;
  return { hint, exitCode };
}
