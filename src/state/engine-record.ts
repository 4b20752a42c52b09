import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readOrSetAside, writeFileAtomically } from './atomic-file.ts';

/** The container engine in which a cluster was created. */
export interface EngineRecord {
  /** The engine's own ID, which also tells it from a later one at the same socket. */
  readonly id: string;
  /** Path of its socket. */
  readonly socket: string;
}

/** The engine recorded in a cluster's data folder; a damaged record is set aside as `.bad`. */
export async function findEngineRecord(data: string): Promise<EngineRecord | undefined> {
  return readOrSetAside(toEngineFile(data), (text) => {
    const record = parseEngineRecord(JSON.parse(text));
    if (!record) throw new Error('no record of an engine');
    return record;
  });
}

/** Records the engine that uses this data folder, unless it is recorded already. */
export async function writeEngineRecord(data: string, { id, socket }: EngineRecord): Promise<void> {
  const found = await findEngineRecord(data);
  if (found?.id === id && found.socket === socket) return;
  await writeFileAtomically(toEngineFile(data), `${JSON.stringify({ version: 1, id, socket })}\n`);
}

export async function removeEngineRecord(data: string): Promise<void> {
  await rm(toEngineFile(data), { force: true });
}

export function toEngineFile(data: string): string {
  return join(data, 'engine.json');
}

/** Undefined for a value that is not a record of an engine. */
export function parseEngineRecord(value: Partial<EngineRecord> | null | undefined): EngineRecord | undefined {
  const { id, socket } = value ?? {};
  return typeof id === 'string' && id !== '' && typeof socket === 'string' ? { id, socket } : undefined;
}
