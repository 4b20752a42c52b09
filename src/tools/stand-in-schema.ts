/*
 * The stand-ins' tables are in a schema of their own (services/common/postgres.ts). Earlier versions made them in
 * `public`, where weAlist's own programs have tables of the same names: these would crash on them.
 */

/** The stand-ins' schema. */
export const standInSchema = 'stand_in';

/** The tables of all stand-ins of earlier versions, and the one shape that all of them had. */
const names = ['boards', 'chats', 'files', 'messages', 'notifications', 'rooms', 'users', 'workspaces'];
const shape = [
  'id integer NOT NULL ALWAYS',
  'parent integer',
  'text text NOT NULL',
  'author text',
  'created_at timestamp with time zone NOT NULL DEFAULT now()',
];

/** Tables in `public` that an earlier version's stand-in has made, and nothing else has changed since. */
const tables = `
SELECT c.oid::regclass AS name, c.relowner FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname IN (${names.map(toLiteral).join(', ')})
  AND ARRAY(
    SELECT concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'NOT NULL' END,
      CASE a.attidentity WHEN 'a' THEN 'ALWAYS' WHEN 'd' THEN 'BY DEFAULT' END,
      'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid))
    FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
  ) = ARRAY[${shape.map(toLiteral).join(', ')}]`;

/** SQL that selects the names of those tables as a JSON array. */
export const listMisplacedTables = `SELECT coalesce(json_agg(name::text ORDER BY name::text), '[]') FROM (${tables}) AS found;\n`;

/**
 * SQL that moves those tables of a database into the stand-ins' schema, with their rows. A table whose name is taken
 * there moves into a schema with a number: nothing is dropped.
 * @param database a plain name
 */
export function moveMisplacedTables(database: string): string {
  return `\\connect "${database}"
SET lock_timeout = '10s';
DO $wealist$
DECLARE
  found record;
  place text;
  number int;
BEGIN
  FOR found IN ${tables}
  LOOP
    place := '${standInSchema}';
    number := 1;
    WHILE to_regclass(format('%I.%s', place, (SELECT quote_ident(relname) FROM pg_class WHERE oid = found.name))) IS NOT NULL LOOP
      number := number + 1;
      place := '${standInSchema}_' || number;
    END LOOP;
    EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I AUTHORIZATION %s', place, found.relowner::regrole);
    EXECUTE format('ALTER TABLE %s SET SCHEMA %I', found.name, place);
  END LOOP;
END $wealist$;
`;
}

function toLiteral(text: string): string {
  return `'${text}'`;
}
