import { join } from 'node:path';
import type { AnyInput, App, Option } from '../../cli/command.ts';
import { toFlag } from '../../cli/options.ts';
import { CommandFailure, type ExitCode, exitCodes } from '../../lib/failure.ts';

/**
 * Serves the dashboard until Ctrl-C, and runs `up` beside it as a program of its own, with the same words and this
 * terminal: its progress is shown in both. When services do not become ready, the dashboard stays, since it shows why.
 * Resolves to the exit code of an `up` that failed otherwise.
 */
export async function upWithDashboard(
  app: App,
  services: readonly string[],
  options: Readonly<Record<string, Option>>,
  input: AnyInput,
): Promise<ExitCode> {
  const dashboard = await app.commands.dashboard?.load();
  if (!dashboard) throw new Error('there is no command dashboard');
  const serving = dashboard.command.run(app, { env: undefined, port: undefined, open: false });
  const args = ['src/bin.js', 'up', ...toFlags(options, input), ...toGlobalFlags(app), ...services];
  const [bin = '', ...words] = args;
  const upping = app.exec(process.execPath, [join(app.paths.checkout, bin), ...words], {
    inherit: true,
    signal: app.signal,
  });
  try {
    await Promise.race([upping, serving]);
  } catch (error) {
    app.signal.throwIfAborted();
    const exitCode = error instanceof CommandFailure ? error.status : undefined;
    // It has printed why it failed.
    if (exitCode === undefined) throw error;
    if (exitCode !== exitCodes.workload) return exitCode as ExitCode;
  }
  await serving;
  return exitCodes.ok;
}

/** The flags as they were given, without the one of the dashboard. */
function toFlags(options: Readonly<Record<string, Option>>, input: AnyInput): readonly string[] {
  return Object.keys(options)
    .filter((key) => key !== 'dashboard')
    .flatMap((key) => {
      const value = input[key];
      if (value === true) return [toFlag(key)];
      return typeof value === 'string' ? [toFlag(key), value] : [];
    });
}

function toGlobalFlags({ ui }: Pick<App, 'ui'>): readonly string[] {
  return [...(ui.quiet ? ['--quiet'] : []), ...(ui.verbose ? ['--verbose'] : [])];
}
