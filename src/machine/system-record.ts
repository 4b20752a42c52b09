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
  /** false from before the change is made until it has ended: a killed run leaves it so. */
  ended: z.boolean().default(true),
});
const Record = z.object({ version: z.literal(1), changes: z.array(Entry) });

/** One change of the system that this tool made. */
export type AppliedChange = Readonly<z.infer<typeof Entry>>;

/** What this tool changed on the system: stored outside the checkout, since it affects every user and checkout. */
export interface SystemRecord {
  readonly path: string;
  list(): Promise<readonly AppliedChange[]>;
  /** Records that the change is about to be made, so that what a killed run has made of it is known as this tool's. */
  begin(change: Change): Promise<void>;
  /** Records that the change has ended; replaces an earlier one with its ID. */
  add(change: Change): Promise<void>;
  /** Records the entry in place of that of `id`; without an entry, removes that one. */
  restore(id: string, entry: AppliedChange | undefined): Promise<void>;
}

export function createSystemRecord(root: Pick<Root, 'path' | 'writeFile'>): SystemRecord {
  const path = root.path('/var/lib/wealist-local/system-changes.json');
  const list = async () => {
    const text = await readFile(path, 'utf8').catch(() => undefined);
    return text === undefined ? [] : parse(text);
  };
  const restore: SystemRecord['restore'] = async (id, entry) => {
    const others = (await list()).filter((each) => each.id !== id);
    const changes = [...others, ...(entry ? [entry] : [])];
    await root.writeFile(path, `${JSON.stringify({ version: 1, changes }, undefined, 2)}\n`, '0644');
  };
  const put = ({ id, title, detail }: Change, ended: boolean) =>
    restore(id, { id, title, detail, at: new Date().toISOString(), ended });
  return {
    path,
    list,
    begin: (change) => put(change, false),
    add: (change) => put(change, true),
    restore,
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
