import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Change } from './changes/change.ts';
import type { Root } from './changes/root.ts';

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

/** What this tool changed on the system: kept with the system, since every user and checkout of it is concerned. */
export interface SystemRecord {
  readonly path: string;
  list(): Promise<readonly AppliedChange[]>;
  /** Adds the change, in place of an earlier one of its name. */
  add(change: Change): Promise<void>;
}

export function createSystemRecord(root: Pick<Root, 'path' | 'writeFile'>): SystemRecord {
  const path = root.path('/var/lib/wealist-local/system-changes.json');
  const list = async () => {
    const text = await readFile(path, 'utf8').catch(() => undefined);
    return text === undefined ? [] : parse(text);
  };
  return {
    path,
    list,
    async add({ id, title, detail }) {
      const others = (await list()).filter((entry) => entry.id !== id);
      const changes = [...others, { id, title, detail, at: new Date().toISOString() }];
      await root.writeFile(path, `${JSON.stringify({ version: 1, changes }, undefined, 2)}\n`, '0644');
    },
  };
}

/** A damaged record claims nothing: what is not known to be this tool's is left alone. */
function parse(text: string): readonly AppliedChange[] {
  try {
    return Record.parse(JSON.parse(text)).changes;
  } catch {
    return [];
  }
}
