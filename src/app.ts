import { join } from 'node:path';
import type { App } from './cli/command.ts';
import { toCommandLine, withoutGlobals } from './cli/command-line.ts';
import { commands } from './commands/index.ts';
import { hash } from './lib/hash.ts';
import { toSystemFailure } from './lib/system-failure.ts';
import type { Stage, Step } from './plan/plan.ts';
import { previewPlan } from './plan/preview-plan.ts';
import { runPlan } from './plan/run-plan.ts';
import { findChosenEnvironment } from './state/chosen-environment.ts';
import { acquireLock, type LockOwner } from './state/lock.ts';
import { findPaths } from './state/paths.ts';
import type { StepName, Trigger } from './state/run-entries.ts';
import { openRunLog, type RunLog, toRunsFile } from './state/run-log.ts';
import { findInterrupted } from './state/runs.ts';
import { ensureStateFolder } from './state/state-folder.ts';
import { showPreview, showProgress } from './ui/progress.ts';
import { chooseOne, confirmChanges, confirmLoss, requireConfirmation } from './ui/prompt.ts';
import type { Ui } from './ui/ui.ts';

export interface AppOptions {
  readonly ui: Ui;
  readonly signal: AbortSignal;
  /** The command and its arguments, as typed. */
  readonly name: string;
  readonly args: readonly string[];
  readonly trigger: Trigger;
  /** The ID under which the run is recorded; undefined for a new one. */
  readonly runId?: string | undefined;
}

/** The app of a run, and the record of that run. */
export interface RecordedApp {
  readonly app: App;
  readonly runLog: RunLog;
}

/** Creates what commands use. Slow modules are loaded on first use. */
export function createApp({ ui, signal, name, args, trigger, runId }: AppOptions): RecordedApp {
  const paths = findPaths();
  const commandLine = toCommandLine(name, args);
  const commandWithYes = toCommandLine(name, [...args, '--yes']);
  let config: string | undefined;
  const runsFile = toRunsFile(paths);
  let recordError: unknown;
  let isRecordErrorReported = false;
  const recording = {
    command: name,
    config: () => config,
    onUnwritable: (error: unknown) => {
      recordError ??= error;
    },
  };
  const begunAt = performance.timeOrigin;
  const runLog = openRunLog(runsFile, {
    ...recording,
    args: withoutGlobals(args),
    trigger,
    id: runId,
    begunAt,
  });

  async function readInterrupted(): Promise<readonly StepName[]> {
    try {
      return await findInterrupted(paths, runLog.id);
    } catch (error) {
      recordError ??= error;
      return [];
    }
  }

  /** Prints once what was wrong with the record of runs: after the plan, whose drawn lines it would break. */
  function reportRecordError(): void {
    if (recordError === undefined || isRecordErrorReported) return;
    isRecordErrorReported = true;
    const reason =
      toSystemFailure(recordError)?.message ??
      (recordError instanceof Error ? recordError.message : String(recordError));
    ui.warn(`the record of runs ${runsFile} is incomplete: ${reason}`);
  }

  const app: App = {
    paths,
    signal,
    ui,
    commands,
    exec: async (...args) => (await import('./tools/exec.ts')).exec(...args),

    async environment({ name, overrides = [] } = {}) {
      const { loadEnvironment } = await import('./config/load.ts');
      const environment = await loadEnvironment({
        checkout: paths.checkout,
        name: name ?? (await findChosenEnvironment(paths)),
        overrides,
      });
      config = hash(environment);
      return environment;
    },

    async exclusively(work, { wait = false, usesCache = false } = {}) {
      await ensureStateFolder(paths);
      const onWait = (owner: LockOwner) => ui.say(`waiting for ${owner.command} (PID ${owner.pid}) to end`);
      const lock = await acquireLock(join(paths.state, 'lock'), {
        command: commandLine,
        ...(wait ? { wait: { signal, onWait } } : {}),
      });
      runLog.begin();
      try {
        if (!usesCache) return await work();
        const { whileCacheIsUsed } = await import('./images/store/cache-lock.ts');
        const run = { signal, report: (line: string) => ui.say(line) };
        return await whileCacheIsUsed({ cache: paths.cache, command: commandLine, run }, work);
      } finally {
        await lock.release();
      }
    },

    recordRun: (args) => openRunLog(runsFile, { ...recording, args, trigger: 'watch' }),

    async runPlan(plan) {
      const interrupted = await readInterrupted();
      if (interrupted.length > 0)
        ui.say(ui.colors.dim(`The last run was interrupted during: ${toList(interrupted)}`));
      try {
        return await runPlan(plan, {
          ...showProgress(ui),
          signal,
          onBegin: (stage, step) => runLog.beginStep(toStepName(stage, step)),
          onPhase: (stage, step, phase, milliseconds) =>
            runLog.endPhase(toStepName(stage, step), phase, milliseconds),
          onDone: (stage, step) => runLog.endStep(toStepName(stage, step), 'done'),
          onFailed: (stage, step) => runLog.endStep(toStepName(stage, step), 'failed'),
        });
      } finally {
        reportRecordError();
      }
    },
    confirmChanges: (changes, yes) => confirmChanges(changes, { ui, signal, yes, commandWithYes }),
    confirm: (question, yes) => requireConfirmation(question, { ui, signal, yes, commandWithYes }),
    choose: (message, choices, initial) => chooseOne(message, choices, initial, { ui, signal }),
    confirmLoss: (lost, losses, yes) => confirmLoss(lost, losses, { ui, signal, yes, commandWithYes }),
    previewPlan: (plan) => previewPlan(plan, { signal, onStep: showPreview(ui) }),
  };
  return { app, runLog };
}

function toStepName(stage: Stage, step: Step): StepName {
  return { stage: stage.title, step: step.title };
}

function toList(steps: readonly StepName[]): string {
  return steps.map(({ step }) => step).join(', ');
}
