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

/** What this tool changed on the system: stored outside the checkout, since it affects every user and checkout. */
export interface SystemRecord {
  readonly path: string;
  list(): Promise<readonly AppliedChange[]>;
  /** Adds the change; replaces an earlier one with its ID. */
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

/** A damaged record counts as empty: only what is known to be this tool's is changed. */
function parse(text: string): readonly AppliedChange[] {
  try {
    return Record.parse(JSON.parse(text)).changes;
  } catch {
    return [];
  }
}
