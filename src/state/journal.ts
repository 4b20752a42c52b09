import { randomUUID } from 'node:crypto';
import { open, readFile, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolder } from '../lib/make-folder.ts';
import { createSerialQueue } from '../lib/serial-queue.ts';
import { writeTo } from '../lib/system-failure.ts';
import { isMissing } from './atomic-file.ts';

/** One line of the journal. */
export interface JournalEntry {
  readonly version: 1;
  /** The same for all entries of one run. */
  readonly run: string;
  readonly at: string;
  readonly command: string;
  /** Hash of the run's environment; undefined when it read none. */
  readonly config: string | undefined;
  /** `failed`: the step ended without having succeeded: with a failure, or because of Ctrl-C. */
  readonly event: 'begin' | 'done' | 'failed';
  readonly stage: string;
  readonly step: string;
}

export type JournalStep = Pick<JournalEntry, 'stage' | 'step'>;

export interface Journal {
  /**
   * Resolves once the entry is on the disk, so that no change is made without a record of it, or when it cannot be
   * written: a run does not depend on its journal.
   */
  begin(step: JournalStep): Promise<void>;
  done(step: JournalStep): Promise<void>;
  failed(step: JournalStep): Promise<void>;
}

export interface JournalOptions {
  readonly command: string;
  readonly config: () => string | undefined;
  /** Called at the first entry that cannot be written, as on a full disk, and not again. */
  readonly onUnwritable?: (error: unknown) => void;
}

/** Bytes after which the journal is renamed to `<path>.old` and a new one is started. */
const rotatedAfter = 1024 * 1024;

/** The journal of one run; nothing is written until its first entry. Its methods do not throw. */
export function openJournal(path: string, { command, config, onUnwritable }: JournalOptions): Journal {
  const run = randomUUID();
  // Steps run at once, and two of them must not rotate the same file.
  const inOrder = createSerialQueue();
  let isReported = false;
  async function write(event: JournalEntry['event'], { stage, step }: JournalStep): Promise<void> {
    const at = new Date().toISOString();
    const entry: JournalEntry = { version: 1, run, at, command, config: config(), event, stage, step };
    try {
      await inOrder(() => append(path, entry));
    } catch (error) {
      if (!isReported) onUnwritable?.(error);
      isReported = true;
    }
  }
  return {
    begin: (step) => write('begin', step),
    done: (step) => write('done', step),
    failed: (step) => write('failed', step),
  };
}

async function append(path: string, entry: JournalEntry): Promise<void> {
  await makeFolder(dirname(path), 0o700);
  // A journal that is too long is worth more than one without this entry.
  const unrotated = await rotate(path).then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  const file = await open(path, 'a', 0o600);
  try {
    // Starts with a new line, since the previous entry may be cut off.
    await writeTo(path, async () => {
      await file.appendFile(`\n${JSON.stringify(entry)}`);
      await file.sync();
    });
  } finally {
    await file.close();
  }
  if (unrotated) throw unrotated.error;
}

async function rotate(path: string): Promise<void> {
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (size <= rotatedAfter) return;
  await rename(path, `${path}.old`).catch((error) => {
    // Another process of this checkout has rotated it in between.
    if (!isMissing(error)) throw error;
  });
}

/** All whole entries, oldest first; lines that are cut off, damaged or of a later version are left out. */
export async function readJournal(path: string): Promise<readonly JournalEntry[]> {
  const text = await readFile(path, 'utf8').catch((error) => {
    if (isMissing(error)) return '';
    throw error;
  });
  return text.split('\n').flatMap(parseEntry);
}

/** The steps that the last run began and did not end, because it was killed. */
export async function findUnfinished(path: string): Promise<readonly JournalEntry[]> {
  const entries = await readJournal(path);
  const last = entries.at(-1)?.run;
  const ofLast = entries.filter(({ run }) => run === last);
  const key = ({ stage, step }: JournalStep) => `${stage}\n${step}`;
  const ended = new Set(ofLast.filter(({ event }) => event !== 'begin').map(key));
  return ofLast.filter((entry) => entry.event === 'begin' && !ended.has(key(entry)));
}

function parseEntry(line: string): readonly JournalEntry[] {
  try {
    const entry = JSON.parse(line);
    return entry?.version === 1 && typeof entry.run === 'string' ? [entry] : [];
  } catch {
    // Its run was killed while writing it, or it is the empty line before an entry.
    return [];
  }
}
