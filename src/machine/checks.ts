import { exitCodes, Failure } from '../lib/failure.ts';
import type { CheckContext, CheckResult, MakeCheck } from './checks/check.ts';
import { checkDataFolder } from './checks/data-folder.ts';
import { checkDisk } from './checks/disk.ts';
import { checkCgroup, checkClock, checkEngine, checkKernel, checkMtu } from './checks/engine.ts';
import { checkInotify } from './checks/limits.ts';
import { checkMemory } from './checks/memory.ts';
import { checkPorts } from './checks/ports.ts';
import { checkPrivileged } from './checks/privileged.ts';
import { checkApt, checkDockerClient, checkDockerFolder, checkGo } from './checks/programs.ts';
import { checkRootless } from './checks/rootless.ts';
import { checkRoutes } from './checks/routes.ts';

/** In the order they are shown. */
const makers: readonly MakeCheck[] = [
  checkEngine,
  checkRootless,
  checkPrivileged,
  checkCgroup,
  checkKernel,
  checkMtu,
  checkRoutes,
  checkClock,
  checkInotify,
  checkPorts,
  checkDisk,
  checkDataFolder,
  checkMemory,
  checkDockerClient,
  checkDockerFolder,
  checkApt,
  checkGo,
];

/** Runs all checks of this machine at once, before anything is built. Changes nothing. */
export async function runChecks(context: CheckContext): Promise<readonly CheckResult[]> {
  return (await Promise.all(makers.map((make) => make(context)))).flat();
}

/** @throws {Failure} exit code 3 that names every check that failed, each with its fix. */
export function requirePassed(checks: readonly CheckResult[]): void {
  const failed = checks.filter(({ state }) => state === 'fail');
  if (failed.length === 0) return;
  const [first] = failed;
  const lines = failed.map(({ title, detail, fix }) => `${title}: ${detail}${fix ? `\n  ${fix}` : ''}`);
  throw new Failure('preflight checks failed', {
    cause: lines.join('\n'),
    hint: failed.length === 1 && first?.fix ? first.fix : 'npm run doctor',
    exitCode: exitCodes.host,
  });
}
