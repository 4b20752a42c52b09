import { join } from 'node:path';
import { z } from 'zod';
import { readOrSetAside, writeFileAtomically } from '../state/atomic-file.ts';
import type { Paths } from '../state/paths.ts';
import type { Change } from './changes/change.ts';

const Entry = z.object({
  id: z.string(),
  title: z.string(),
  detail: z.string(),
  /** ISO 8601. */
  at: z.string(),
});
const Record = z.object({ version: z.literal(1), changes: z.array(Entry) });

/** One change of the system that this tool made. */
export type AppliedChange = Readonly<z.infer<typeof Entry>>;

/** What this tool changed on the system: kept beside the data, since both outlive every checkout. */
export interface SystemRecord {
  readonly path: string;
  list(): Promise<readonly AppliedChange[]>;
  /** Adds the change, in place of an earlier one of its name. */
  add(change: Change): Promise<void>;
}

export function createSystemRecord({ data }: Pick<Paths, 'data'>): SystemRecord {
  const path = join(data, 'system-changes.json');
  const list = async () => {
    const record = await readOrSetAside(path, (text) => Record.parse(JSON.parse(text)));
    return record?.changes ?? [];
  };
  return {
    path,
    list,
    async add({ id, title, detail }) {
      const others = (await list()).filter((entry) => entry.id !== id);
      const changes = [...others, { id, title, detail, at: new Date().toISOString() }];
      await writeFileAtomically(path, `${JSON.stringify({ version: 1, changes }, undefined, 2)}\n`);
    },
  };
}
