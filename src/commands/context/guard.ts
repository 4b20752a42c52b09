import type { App } from '../../cli/command.ts';
import type { Environment, LocalEnvironment } from '../../config/schema.ts';
import { exitCodes, Failure } from '../../lib/failure.ts';
import { defaultEnvironment } from '../../state/chosen-environment.ts';

/**
 * The environment as one that may be written to, for every command that changes something in a cluster or opens a way
 * to do so; says which one it is. Only what this returns has a cluster of this machine, so that a command that forgets
 * to ask does not compile.
 * @throws {Failure} exit code 9 for any environment on a cluster of somebody else: no flag makes it legal.
 */
export function requireWritable(
  { ui }: Pick<App, 'ui'>,
  environment: Environment,
  command: string,
): LocalEnvironment {
  if (!isLocal(environment)) {
    throw new Failure(
      `${command} is refused: environment ${environment.name} is on a cluster elsewhere, and only read`,
      { hint: `npm run env use ${defaultEnvironment}`, exitCode: exitCodes.refused },
    );
  }
  ui.say(ui.colors.dim(`environment ${environment.name}`));
  return environment;
}

/** Whether the environment is on a cluster of this machine, which this tool makes. */
export function isLocal(environment: Environment): environment is LocalEnvironment {
  return environment.cluster !== undefined;
}

/** The environment of this machine, whichever is chosen, for what is about the machine and its images. */
export async function loadMachineEnvironment(app: Pick<App, 'environment'>): Promise<LocalEnvironment> {
  const environment = await app.environment({ name: defaultEnvironment });
  if (isLocal(environment)) return environment;
  throw new Failure(`env/${defaultEnvironment}.yaml has no key cluster`, {
    hint: `git restore env/${defaultEnvironment}.yaml`,
    exitCode: exitCodes.usage,
  });
}
