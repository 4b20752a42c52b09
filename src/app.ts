import { join } from 'node:path';
import type { App } from './cli/command.ts';
import { toCommandLine } from './cli/command-line.ts';
import { commands } from './commands/index.ts';
import { hash } from './lib/hash.ts';
import { toSystemFailure } from './lib/system-failure.ts';
import { previewPlan } from './plan/preview-plan.ts';
import { runPlan } from './plan/run-plan.ts';
import { findChosenEnvironment } from './state/chosen-environment.ts';
import { findUnfinished, type JournalStep, openJournal } from './state/journal.ts';
import { acquireLock, type LockOwner } from './state/lock.ts';
import { findPaths } from './state/paths.ts';
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
}

/** Creates what commands use. Slow modules are loaded on first use. */
export function createApp({ ui, signal, name, args }: AppOptions): App {
  const paths = findPaths();
  const commandLine = toCommandLine(name, args);
  const commandWithYes = toCommandLine(name, [...args, '--yes']);
  let config: string | undefined;
  const journalFile = join(paths.state, 'journal');
  let journalError: unknown;
  let isJournalErrorReported = false;
  const journal = openJournal(journalFile, {
    command: commandLine,
    config: () => config,
    onUnwritable: (error) => {
      journalError = error;
    },
  });

  async function readUnfinished(): Promise<readonly JournalStep[]> {
    try {
      return await findUnfinished(journalFile);
    } catch (error) {
      journalError ??= error;
      return [];
    }
  }

  /** Prints once what was wrong with the journal: after the plan, whose drawn lines it would break. */
  function reportJournalError(): void {
    if (journalError === undefined || isJournalErrorReported) return;
    isJournalErrorReported = true;
    const reason =
      toSystemFailure(journalError)?.message ??
      (journalError instanceof Error ? journalError.message : String(journalError));
    ui.warn(`the journal ${journalFile} is incomplete: ${reason}`);
  }

  return {
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
      try {
        if (!usesCache) return await work();
        const { whileCacheIsUsed } = await import('./images/store/cache-lock.ts');
        const run = { signal, report: (line: string) => ui.say(line) };
        return await whileCacheIsUsed({ cache: paths.cache, command: commandLine, run }, work);
      } finally {
        await lock.release();
      }
    },

    async runPlan(plan) {
      const unfinished = await readUnfinished();
      if (unfinished.length > 0)
        ui.say(ui.colors.dim(`The last run was interrupted during: ${toList(unfinished)}`));
      try {
        const result = await runPlan(plan, {
          ...showProgress(ui),
          signal,
          onBegin: (stage, step) => journal.begin({ stage: stage.title, step: step.title }),
          onDone: (stage, step) => journal.done({ stage: stage.title, step: step.title }),
          onFailed: (stage, step) => journal.failed({ stage: stage.title, step: step.title }),
        });
        // If all steps were already done, the run above wrote no journal entry that ends the previous one.
        if (unfinished.length > 0) await journal.done({ stage: 'Plan', step: 'Finished' });
        return result;
      } finally {
        reportJournalError();
      }
    },
    confirmChanges: (changes, yes) => confirmChanges(changes, { ui, signal, yes, commandWithYes }),
    confirm: (question, yes) => requireConfirmation(question, { ui, signal, yes, commandWithYes }),
    choose: (message, choices, initial) => chooseOne(message, choices, initial, { ui, signal }),
    confirmLoss: (lost, losses, yes) => confirmLoss(lost, losses, { ui, signal, yes, commandWithYes }),
    previewPlan: (plan) => previewPlan(plan, { signal, onStep: showPreview(ui) }),
  };
}

function toList(steps: readonly JournalStep[]): string {
  return steps.map(({ step }) => step).join(', ');
}
