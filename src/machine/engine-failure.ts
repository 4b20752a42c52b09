import { exitCodes, Failure, type FailureOptions } from '../lib/failure.ts';

/** absent: not installed. down: installed, not running. denied: this user may not use it. silent: no response. */
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
    // An engine on another machine is refused even if it would respond.
    super(message, { exitCode: problem === 'remote' ? exitCodes.refused : exitCodes.host, ...options });
    this.problem = problem;
  }
}
