import { HttpError } from '../../services/common/http-error.ts';
import type { Row, Rows } from '../../services/common/rows.ts';

/** A table in memory. */
export function fakeRows(): Rows {
  const rows: Row[] = [];
  return {
    async add({ text, parent = null, author = null }) {
      const row = { id: rows.length + 1, parent, text, author, createdAt: new Date(0).toISOString() };
      rows.push(row);
      return row;
    },
    async latest(parent) {
      return rows.filter((row) => parent === undefined || row.parent === parent).toReversed();
    },
    async get(id) {
      const row = rows[id - 1];
      if (row === undefined) throw new HttpError(404, `row ${id} not found`);
      return row;
    },
  };
}
