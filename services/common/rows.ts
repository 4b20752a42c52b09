import { HttpError } from './http-error.ts';
import type { Identify } from './identity.ts';
import type { Postgres, Table } from './postgres.ts';
import { readJson, toId, toText } from './request-body.ts';
import { type HttpRoute, json } from './route.ts';

/** A row of the stand-ins' tables. */
export interface Row {
  readonly id: number;
  /** ID of the parent object, such as a project or a chat. */
  readonly parent: number | null;
  readonly text: string;
  readonly author: string | null;
  readonly createdAt: string;
}

export interface Rows {
  add(row: Pick<Row, 'text'> & Partial<Pick<Row, 'parent' | 'author'>>): Promise<Row>;
  /** The newest 50 rows, newest first. */
  latest(parent?: number): Promise<Row[]>;
  /** @throws {HttpError} 404 when the row does not exist. */
  get(id: number): Promise<Row>;
}

const reads = 'id, parent, text, author, created_at AS "createdAt"';

/** The table definition for `rows` with the same name. */
export function rowTable(name: string): Table {
  return {
    name,
    reads,
    columns: `id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, parent integer, text text NOT NULL,
      author text, created_at timestamptz NOT NULL DEFAULT now()`,
  };
}

export function rows(postgres: Postgres, table: string): Rows {
  return {
    async add({ text, parent = null, author = null }) {
      const [row] = await postgres.query<Row>(
        `INSERT INTO ${table} (parent, text, author) VALUES ($1, $2, $3) RETURNING ${reads}`,
        [parent, text, author],
      );
      if (row === undefined) throw new Error(`INSERT INTO ${table} returned no row`);
      return row;
    },
    latest(parent) {
      const where = parent === undefined ? '' : 'WHERE parent = $1';
      return postgres.query<Row>(
        `SELECT ${reads} FROM ${table} ${where} ORDER BY id DESC LIMIT 50`,
        parent === undefined ? [] : [parent],
      );
    },
    async get(id) {
      const [row] = await postgres.query<Row>(`SELECT ${reads} FROM ${table} WHERE id = $1`, [id]);
      if (row === undefined) throw new HttpError(404, `row ${id} not found`);
      return row;
    },
  };
}

export interface RowRoutesOptions {
  readonly path: string;
  readonly rows: Rows;
  readonly identify: Identify;
  /** Converts a row to its JSON response. */
  readonly show?: (row: Row) => unknown;
  /** Called after a row was stored. */
  readonly onAdded?: (row: Row) => void | Promise<void>;
}

/** `POST path {"text", "parent"?}` stores a row, `GET path` lists the newest, `GET path/:id` returns one. */
export function rowRoutes({
  path,
  rows,
  identify,
  show = (row) => row,
  onAdded,
}: RowRoutesOptions): HttpRoute[] {
  return [
    {
      method: 'POST',
      path,
      async handle(request) {
        const author = identify(request)?.sub ?? null;
        const fields = await readJson(request);
        const parent = fields.parent === undefined ? null : toId(String(fields.parent));
        const row = await rows.add({ text: toText(fields, 'text'), parent, author });
        await onAdded?.(row);
        return json(await show(row), 201);
      },
    },
    {
      method: 'GET',
      path,
      async handle({ url }) {
        const parent = url.searchParams.get('parent');
        return json({ rows: await rows.latest(parent === null ? undefined : toId(parent)) });
      },
    },
    {
      method: 'GET',
      path: `${path}/:id`,
      async handle({ params }) {
        return json(await show(await rows.get(toId(params.id))));
      },
    },
  ];
}
