import { getSnapshot, listSnapshots, toSnapshotsFolder } from '../../src/state/database-snapshots.ts';
import type { Checkout } from './checkout.ts';
import { request, requestJson } from './ingress.ts';

/** What a user has in a cluster, as text that changes when anything of it is lost or altered. */
export interface Belongings {
  /** Count and hash of all rows of user-service. */
  readonly rows: string;
  /** Objects in S3, each with its content. */
  readonly objects: readonly string[];
  /** Login sessions, which are in Redis. */
  readonly sessions: number;
  /** Names of the snapshots that are whole. */
  readonly snapshots: readonly string[];
}

const service = 'user-service';

/** Adds to what the user has, and reads it back. */
export interface BelongingsKeeper {
  /** One more row, object and session. */
  add(text: string): Promise<void>;
  /** @throws {Error} when something cannot be read at all, such as a snapshot with a wrong checksum. */
  read(): Promise<Belongings>;
  /** Runs SQL in the database of user-service. */
  query(sql: string): Promise<string>;
}

/** @param findOrigin resolves to the URL of the ingress, which may change with each `up` */
export function keepBelongings(checkout: Checkout, findOrigin: () => string): BelongingsKeeper {
  const files = new Map<number, string>();
  const toUrl = (path: string) => `${findOrigin()}svc/${path}`;
  const toContentUrl = (id: number) => toUrl(`storage/api/storage/files/${id}/content`);

  async function query(sql: string): Promise<string> {
    const { stdout, stderr, exitCode } = await checkout.run('db', service, '--', '-Atqc', sql);
    if (exitCode !== 0) throw new Error(stderr);
    return stdout.trim();
  }

  return {
    query,

    async add(text) {
      await requestJson(toUrl('user/api/users'), { text });
      await requestJson(toUrl('auth/api/auth/login'), { name: text });
      const { id } = await requestJson<{ id: number }>(toUrl('storage/api/storage/files'), { text });
      const { status } = await request(toContentUrl(id), { method: 'PUT', body: text });
      if (status >= 300) throw new Error(`uploading file ${id}: ${status}`);
      files.set(id, text);
    },

    async read() {
      const rows = query("SELECT count(*) || ' ' || md5(string_agg(id || text, ',' ORDER BY id)) FROM users");
      const objects = [...files].map(async ([id, text]) => {
        const { status, body } = await request(toContentUrl(id));
        return `${id}: ${status === 200 && body === text ? 'unchanged' : `${status} ${body}`}`;
      });
      const sessions = requestJson<{ open: number }>(toUrl('auth/api/auth/sessions'));
      const folder = toSnapshotsFolder(`${checkout.data}/..`, checkout.name);
      const snapshots = await listSnapshots(folder);
      // Verifies every checksum.
      for (const { name } of snapshots) await getSnapshot(folder, name);
      return {
        rows: await rows,
        objects: await Promise.all(objects),
        sessions: (await sessions).open,
        snapshots: snapshots.map(({ name }) => name).toSorted(),
      };
    },
  };
}
