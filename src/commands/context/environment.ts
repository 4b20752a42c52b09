import type { App } from '../../cli/command.ts';
import type { Environment, LocalEnvironment } from '../../config/schema.ts';
import { exitCodes, Failure } from '../../lib/failure.ts';
import { defaultEnvironment } from '../../state/chosen-environment.ts';

/**
 * The environment as a `LocalEnvironment`, which commands that write to a cluster need: one that forgets this check does
 * not compile. Prints the environment's name.
 * @throws {Failure} exit code 9 for a remote environment, whatever the flags.
 */
export function requireWritable(
  { ui }: Pick<App, 'ui'>,
  environment: Environment,
  command: string,
): LocalEnvironment {
  if (!isLocal(environment)) {
    throw new Failure(`${command} is refused: environment ${environment.name} is remote, read-only`, {
      hint: `npm run env use ${defaultEnvironment}`,
      exitCode: exitCodes.refused,
    });
  }
  ui.say(ui.colors.dim(`environment ${environment.name}`));
  return environment;
}

/** Whether the environment's cluster is on this machine and created by this tool. */
export function isLocal(environment: Environment): environment is LocalEnvironment {
  return environment.cluster !== undefined;
}

/** This machine's environment, even while another one is selected: for commands about the machine and its images. */
export async function loadMachineEnvironment(app: Pick<App, 'environment'>): Promise<LocalEnvironment> {
  const environment = await app.environment({ name: defaultEnvironment });
  if (isLocal(environment)) return environment;
  throw new Failure(`env/${defaultEnvironment}.yaml has no key cluster`, {
    hint: `git restore env/${defaultEnvironment}.yaml`,
    exitCode: exitCodes.usage,
  });
}

/** The next command in a remote environment: `npm run logs` with `--env`; undefined for a line that would write. */
export function toRemoteLine(line: string | undefined, environment: string): string | undefined {
  return line?.startsWith('npm run logs ') ? `${line} --env ${environment}` : undefined;
}
