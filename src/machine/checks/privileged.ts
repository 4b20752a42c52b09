import { findPrivilegedProblem } from '../privileged-run.ts';
import type { MakeCheck } from './check.ts';

/** Nodes are privileged containers, and only a test container shows whether the engine can start one. */
export const checkPrivileged: MakeCheck = async ({ docker, engine, signal }) => {
  if (docker === undefined || engine === undefined) return [];
  const problem = await findPrivilegedProblem(docker, engine.arch, signal);
  const id = 'privileged';
  const title = 'privileged containers';
  if (problem === undefined) return [{ id, title, state: 'ok', detail: 'a test container was started' }];
  return [
    {
      id,
      title,
      state: 'fail',
      detail: problem.message,
      fix: 'npm run up: it prints the settings to change',
    },
  ];
};
