import { exitCodes, Failure, type FailureOptions } from '../lib/failure.ts';

/** absent: none is installed. down: installed, does not run. denied: runs, not for this user. silent: no answer. */
export type EngineProblem =
  | 'absent'
  | 'down'
  | 'denied'
  | 'silent'
  | 'context'
  | 'remote'
  | 'podman'
  | 'broken';

/** Why no container engine can be used. */
export class EngineFailure extends Failure {
  readonly problem: EngineProblem;

  constructor(problem: EngineProblem, message: string, options: FailureOptions) {
    // An engine on another machine is refused although it would answer.
    super(message, { exitCode: problem === 'remote' ? exitCodes.refused : exitCodes.host, ...options });
    this.problem = problem;
  }
}
