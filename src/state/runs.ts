import { readFile } from 'node:fs/promises';
import { findProcess } from '../lib/processes.ts';
import { isMissing } from './atomic-file.ts';
import type { Paths } from './paths.ts';
import { parseRunEntry, type RunEntry, type RunFailure, type StepName, type Trigger } from './run-entries.ts';
import { toKey, toRunsFile } from './run-log.ts';

/** A part of a step, such as `build` of a reload. */
export interface RunPhase {
  readonly name: string;
  readonly seconds: number;
}

/** A step that was not done when the run began. */
export interface RunStep extends StepName {
  /** When it began: ISO 8601. */
  readonly begun: string;
  /** interrupted: it was killed. failed: it ended with a failure, or because of Ctrl-C. */
  readonly state: 'running' | 'done' | 'failed' | 'interrupted';
  /** Undefined until it has ended. */
  readonly seconds: number | undefined;
  readonly phases: readonly RunPhase[];
}

/** One run of a command that may change something. */
export interface RunReport {
  readonly id: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly trigger: Trigger;
  /** When it began: ISO 8601. */
  readonly begun: string;
  /** ended: with an exit code. interrupted: its process is gone and has recorded no end, as after `kill -9`. */
  readonly state: 'running' | 'ended' | 'interrupted';
  readonly pid: number;
  /** Undefined until it has ended. */
  readonly seconds: number | undefined;
  readonly exitCode: number | undefined;
  readonly failure: RunFailure | undefined;
  readonly steps: readonly RunStep[];
}

/** The recorded runs, the newest first. @throws {Error} of the file system if the file cannot be read. */
export async function listRuns(paths: Pick<Paths, 'state'>): Promise<readonly RunReport[]> {
  const entries = await readEntries(toRunsFile(paths));
  const byRun = new Map<string, RunEntry[]>();
  for (const entry of entries) {
    const known = byRun.get(entry.run);
    if (known) known.push(entry);
    else byRun.set(entry.run, [entry]);
  }
  const runs = await Promise.all([...byRun.values()].map(toReport));
  return runs.flat().toSorted((one, other) => Date.parse(other.begun) - Date.parse(one.begun));
}

/** The steps in which the last run before `id` was killed. @throws as `listRuns`. */
export async function findInterrupted(paths: Pick<Paths, 'state'>, id: string): Promise<readonly RunStep[]> {
  const last = (await listRuns(paths)).find((run) => run.id !== id && run.state !== 'running');
  return last?.steps.filter(({ state }) => state === 'interrupted') ?? [];
}

async function readEntries(path: string): Promise<readonly RunEntry[]> {
  const texts = await Promise.all([`${path}.old`, path].map(readText));
  return texts.flatMap((text) => text.split('\n').flatMap(parseRunEntry));
}

async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error) => {
    if (isMissing(error)) return '';
    throw error;
  });
}

/** None for a run whose beginning was rotated away. */
async function toReport(entries: readonly RunEntry[]): Promise<readonly RunReport[]> {
  // A run that was repeated with a new group, or whose file was started anew, has several beginnings.
  const begins = entries.filter((entry) => entry.event === 'begin');
  const begin = begins.at(-1);
  if (!begin) return [];
  const { run: id, command, args, trigger, pid } = begin;
  const end = entries.findLast((entry) => entry.event === 'end');
  const state = end ? 'ended' : (await isAlive(begin)) ? 'running' : 'interrupted';
  return [
    {
      ...{ id, command, args, trigger, pid, state },
      begun: begins[0]?.at ?? begin.at,
      seconds: end?.seconds,
      exitCode: end?.exitCode,
      failure: end?.failure,
      steps: toSteps(entries, state === 'running' ? 'running' : 'interrupted'),
    },
  ];
}

async function isAlive({ pid, started }: { readonly pid: number; readonly started: string | undefined }) {
  return (await findProcess(pid))?.started === started && started !== undefined;
}

function toSteps(entries: readonly RunEntry[], unended: 'running' | 'interrupted'): readonly RunStep[] {
  const steps = new Map<string, RunStep>();
  for (const entry of entries) {
    if (entry.event === 'begin' || entry.event === 'end') continue;
    const { stage, step, at } = entry;
    const key = toKey(entry);
    const known = steps.get(key) ?? {
      stage,
      step,
      begun: at,
      state: unended,
      seconds: undefined,
      phases: [],
    };
    if (entry.event === 'phase') {
      steps.set(key, { ...known, phases: [...known.phases, { name: entry.phase, seconds: entry.seconds }] });
    } else if (entry.event === 'step begin') {
      // Begun again, as when ports were taken meanwhile.
      steps.set(key, { stage, step, begun: at, state: unended, seconds: undefined, phases: [] });
    } else {
      const state = entry.event === 'step done' ? 'done' : 'failed';
      steps.set(key, { ...known, state, seconds: entry.seconds });
    }
  }
  return [...steps.values()];
}
