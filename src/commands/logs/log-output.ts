import { join } from 'node:path';
import type { App } from '../../cli/command.ts';
import type { LogSource } from '../../logs/log-containers.ts';
import type { LogFormat } from '../../logs/log-format.ts';
import { openLogHistory } from '../../logs/log-history.ts';
import { createLevelFilter, type Level } from '../../logs/log-level.ts';
import type { LogLine } from '../../logs/log-line.ts';
import type { LogOptions } from '../../logs/log-options.ts';
import { createLogQueue } from '../../logs/log-queue.ts';
import { ensureStateFolder } from '../../state/state-folder.ts';

type Write = LogOptions['write'];

/** Which lines are shown. */
export interface LogSelection {
  readonly grep: RegExp | undefined;
  readonly exclude: RegExp | undefined;
  readonly level: Level | undefined;
}

/** Selects the lines to show. Lines of one container must be passed in order. A gap is always shown. */
export function createLogFilter({
  grep,
  exclude,
  level,
}: LogSelection): (source: LogSource, lines: readonly LogLine[]) => readonly LogLine[] {
  const filters = new Map<string, ReturnType<typeof createLevelFilter>>();

  function atLevel({ pod, container }: LogSource, lines: readonly LogLine[]): readonly LogLine[] {
    if (level === undefined) return lines;
    const key = `${pod}/${container}`;
    const filter = filters.get(key) ?? createLevelFilter(level);
    filters.set(key, filter);
    return filter(lines);
  }

  return (source, lines) => {
    const wanted = atLevel(source, lines);
    if (!grep && !exclude) return wanted;
    return wanted.filter(
      ({ text, isGap }) => isGap || (grep?.test(text) !== false && exclude?.test(text) !== true),
    );
  };
}

/** Prints lines no faster than the output accepts them. */
export function printTo({ ui }: Pick<App, 'ui'>, format: LogFormat): Write {
  return async (source, lines) => {
    if (lines.length > 0) await ui.stream(format(source, lines));
  };
}

export interface FollowedOutput {
  readonly write: Write;
  /** Rejects when the output has failed. */
  readonly failed: Promise<never>;
  close(): Promise<void>;
}

/**
 * Shows the selected lines and saves all lines in files of this run below `.wealist/logs/`, including those that a slow
 * output has to skip.
 */
export async function openFollowedOutput(
  { ui, paths }: Pick<App, 'ui' | 'paths'>,
  format: LogFormat,
  filter: ReturnType<typeof createLogFilter>,
): Promise<FollowedOutput> {
  await ensureStateFolder(paths);
  const name = `${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}Z-${process.pid}`;
  const history = openLogHistory({ folder: join(paths.state, 'logs'), name });
  const queue = createLogQueue({ write: printTo({ ui }, format) });
  let isSaving = true;
  ui.say(ui.colors.dim(`all lines are saved in ${history.folder}`));

  async function save(source: LogSource, lines: readonly LogLine[]): Promise<void> {
    try {
      await history.append(source, lines);
    } catch (error) {
      // The logs are still shown when the disk is full.
      if (isSaving) ui.warn(`the logs are shown but no longer saved: ${(error as Error).message}`);
      isSaving = false;
    }
  }

  return {
    failed: queue.failed,
    async write(source, lines) {
      if (isSaving) await save(source, lines);
      const wanted = filter(source, lines);
      if (wanted.length > 0) queue.offer(source, wanted);
    },
    close: () => history.close(),
  };
}
