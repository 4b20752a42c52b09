import {
  findUnfitBuildSettings,
  findUnfitDockerfiles,
  findUnfitSource,
  findUnfitStandIns,
} from './checks/builds.ts';
import type { Draft } from './checks/draft.ts';
import { findFrontendProblems } from './checks/frontend.ts';
import { findUnfitLive } from './checks/live.ts';
import {
  findCyclicNeeds,
  findRepeatedNeeds,
  findSelfNeeds,
  findUnknownNeeds,
  findUnknownSyncedServices,
} from './checks/needs.ts';
import { findMisplacedKeys } from './checks/place.ts';
import { findMixedHostPorts, findSharedPorts, findSharedRoutes, findUnfitHostPorts } from './checks/ports.ts';
import type { Problem } from './problems.ts';

type ConfigCheck = (draft: Draft) => readonly Problem[] | Promise<readonly Problem[]>;

/** The rules that depend on several values or on the file system. */
const checks: readonly ConfigCheck[] = [
  findMisplacedKeys,
  findUnfitHostPorts,
  findMixedHostPorts,
  findSharedPorts,
  findSharedRoutes,
  findFrontendProblems,
  findUnknownNeeds,
  findUnknownSyncedServices,
  findSelfNeeds,
  findRepeatedNeeds,
  findCyclicNeeds,
  findUnfitStandIns,
  findUnfitSource,
  findUnfitDockerfiles,
  findUnfitBuildSettings,
  findUnfitLive,
];

/** All problems that the schema cannot find. */
export async function findCheckProblems(draft: Draft): Promise<readonly Problem[]> {
  return (await Promise.all(checks.map((check) => check(draft)))).flat();
}
