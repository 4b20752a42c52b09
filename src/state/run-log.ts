import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { findProcess } from '../lib/processes.ts';
import { scrubSecrets } from '../lib/secret-values.ts';
import { createSerialQueue } from '../lib/serial-queue.ts';
import { appendLines } from './bounded-file.ts';
import type { Paths } from './paths.ts';
import type { RunEntry, RunEvent, RunFailure, StepName, Trigger } from './run-entries.ts';

/** Records one run in the file of runs, which is also what tells the next run that this one was killed. Never throws. */
export interface RunLog {
  readonly id: string;
  /** Records that the run has begun, unless that is recorded already. Does not wait for the disk. */
  begin(): void;
  /** Resolves once it is on the disk, so that no change is made without a record of it, or when it cannot be written. */
  beginStep(step: StepName): Promise<void>;
  /** Records how long a part of a step took. */
  endPhase(step: StepName, phase: string, milliseconds: number): void;
  endStep(step: StepName, how: 'done' | 'failed'): Promise<void>;
  /** Records its end, if its beginning was recorded. */
  end(result: { readonly exitCode: number; readonly failure?: RunFailure | undefined }): Promise<void>;
}

export interface RunLogOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly trigger: Trigger;
  /** Hash of the run's environment, once it was read. */
  readonly config: () => string | undefined;
  /** Of a process that another one has started with it; else a new one. */
  readonly id?: string | undefined;
  /** When it began, in milliseconds since the epoch. */
  readonly begunAt?: number;
  /** Called at the first entry that cannot be written, as on a full disk, and not again. */
  readonly onUnwritable?: (error: unknown) => void;
}

/** Bytes after which a new file is started; the previous one is kept. */
const limit = 512 * 1024;

/** Characters of a text that are recorded. */
const textLimit = 400;

/** Arguments that are recorded. */
const argsLimit = 50;

/** The file of all runs of a checkout. */
export function toRunsFile({ state }: Pick<Paths, 'state'>): string {
  return join(state, 'runs.ndjson');
}

/** The record of one run; nothing is written until it begins. */
export function openRunLog(path: string, options: RunLogOptions): RunLog {
  const { command, trigger, config, id = randomUUID(), begunAt = Date.now(), onUnwritable } = options;
  const clockAtBegin = performance.now() - (Date.now() - begunAt);
  const args = toRecordedArgs(options.args);
  // Steps run at once; their entries are written in the order of the calls.
  const inOrder = createSerialQueue();
  const begunSteps = new Map<string, number>();
  let hasBegun = false;
  let beginLine: Promise<string> | undefined;
  /** The file that has the entry of the beginning: a new one gets it, too. */
  let fileOfBegin: string | undefined;
  let isReported = false;

  async function makeBeginLine(): Promise<string> {
    const started = (await findProcess(process.pid))?.started;
    const event = {
      event: 'begin',
      command,
      args,
      trigger,
      pid: process.pid,
      started,
      config: config(),
    } as const;
    return toLine(id, event, new Date(begunAt));
  }

  async function write(event: RunEvent | undefined, sync = false): Promise<void> {
    hasBegun = true;
    beginLine ??= makeBeginLine();
    const line = event && toLine(id, event, new Date());
    try {
      await inOrder(async () => {
        const begin = await beginLine;
        let file: string | undefined;
        const toLines = (current: string) => {
          file = current;
          return [...(file !== fileOfBegin && begin ? [begin] : []), ...(line ? [line] : [])];
        };
        await appendLines(path, toLines, { limit, sync });
        fileOfBegin = file;
      });
    } catch (error) {
      if (!isReported) onUnwritable?.(error);
      isReported = true;
    }
  }

  return {
    id,
    begin() {
      if (!hasBegun) void write(undefined);
    },
    beginStep({ stage, step }) {
      begunSteps.set(toKey({ stage, step }), performance.now());
      return write({ event: 'step begin', stage, step }, true);
    },
    endPhase({ stage, step }, phase, milliseconds) {
      void write({ event: 'phase', stage, step, phase, seconds: toSeconds(milliseconds) });
    },
    endStep({ stage, step }, how) {
      const begun = begunSteps.get(toKey({ stage, step })) ?? performance.now();
      const seconds = toSeconds(performance.now() - begun);
      return write({ event: `step ${how}`, stage, step, seconds });
    },
    async end({ exitCode, failure }) {
      if (!hasBegun) return;
      const seconds = toSeconds(performance.now() - clockAtBegin);
      await write({ event: 'end', exitCode, seconds, failure: failure && shorten(failure) });
    },
  };
}

/** Identifies a step of a run. */
export function toKey({ stage, step }: StepName): string {
  return `${stage}\n${step}`;
}

function toLine(run: string, event: RunEvent, at: Date): string {
  const entry: RunEntry = { version: 1, run, at: at.toISOString(), ...event };
  return scrubSecrets(JSON.stringify(entry));
}

/** What follows a `--` of their own is for another program, such as psql, and may be confidential. */
function toRecordedArgs(args: readonly string[]): readonly string[] {
  const separator = args.indexOf('--');
  const own = separator === -1 ? args : args.slice(0, separator);
  return own.slice(0, argsLimit).map(shortenText);
}

function shorten({ message, hint }: RunFailure): RunFailure {
  return { message: shortenText(message), ...(hint === undefined ? {} : { hint: shortenText(hint) }) };
}

function shortenText(text: string): string {
  return text.length <= textLimit ? text : `${text.slice(0, textLimit - 1)}…`;
}

function toSeconds(milliseconds: number): number {
  return Math.round(milliseconds) / 1000;
}
