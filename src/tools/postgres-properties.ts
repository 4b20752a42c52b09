/*
 * What belongs to a database itself and is not in its dump: owner, connection limit, comment, privileges, and the
 * settings of `ALTER DATABASE … SET` and `ALTER ROLE … IN DATABASE … SET`.
 */

/**
 * SQL that selects, as one JSON object, for each of these databases the statements that give it what belongs to it.
 * @param databases plain names
 */
export function toPropertiesQuery(databases: readonly string[]): string {
  return `
WITH properties AS (
  SELECT d.datname, property.* FROM pg_database d, LATERAL (
    SELECT 1 AS place, format('ALTER DATABASE %I OWNER TO %I', d.datname, pg_get_userbyid(d.datdba)) AS statement
    UNION ALL
    SELECT 2, format('ALTER DATABASE %I CONNECTION LIMIT %s', d.datname, d.datconnlimit)
    UNION ALL
    SELECT 3, format('COMMENT ON DATABASE %I IS %L', d.datname, shobj_description(d.oid, 'pg_database'))
    UNION ALL
    SELECT 4, format('GRANT %s ON DATABASE %I TO %s', privilege_type, d.datname, ${toGrantee})
        || CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
      FROM aclexplode(coalesce(d.datacl, acldefault('d', d.datdba)))
    UNION ALL
    SELECT 5, CASE WHEN setrole = 0 THEN format('ALTER DATABASE %I', d.datname)
          ELSE format('ALTER ROLE %I IN DATABASE %I', pg_get_userbyid(setrole), d.datname) END
        || format(' SET %I TO ', split_part(setting, '=', 1))
        || CASE WHEN split_part(setting, '=', 1) IN (${listSettings.map((name) => `'${name}'`).join(', ')})
          THEN coalesce((
            SELECT string_agg(quote_literal(CASE WHEN item LIKE '"%'
                THEN replace(substr(item, 2, length(item) - 2), '""', '"') ELSE trim(item) END), ', ' ORDER BY at)
              FROM regexp_matches(substr(setting, strpos(setting, '=') + 1), '"(?:[^"]|"")*"|[^,\\s][^,]*', 'g')
                WITH ORDINALITY AS matched(items, at), unnest(items) AS item), '''''')
          ELSE quote_literal(substr(setting, strpos(setting, '=') + 1)) END
      FROM pg_db_role_setting, unnest(setconfig) AS setting WHERE setdatabase = d.oid
  ) AS property WHERE d.datname IN (${databases.map((name) => `'${name}'`).join(', ')})
)
SELECT coalesce(json_object_agg(datname, statements), '{}') FROM (
  SELECT datname, json_agg(statement ORDER BY place, statement) AS statements FROM properties GROUP BY datname
) AS databases;
`;
}

/** Settings whose value is a list of names; as one literal it would be a single name. */
const listSettings = [
  ...['search_path', 'temp_tablespaces', 'unix_socket_directories'],
  ...['local_preload_libraries', 'session_preload_libraries', 'shared_preload_libraries'],
];

/** Of a row of `aclexplode`. */
const toGrantee = `CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END`;

/** SQL that gives a database what was saved, in place of the privileges that it has; empty for undefined. */
export function toPropertiesScript(database: string, statements: readonly string[] | undefined): string {
  if (statements === undefined) return '';
  const revokeAll = `DO $wealist$
DECLARE role text;
BEGIN
  FOR role IN SELECT DISTINCT ${toGrantee}
    FROM pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba))) WHERE datname = '${database}'
  LOOP
    EXECUTE format('REVOKE ALL ON DATABASE "${database}" FROM %s CASCADE', role);
  END LOOP;
END $wealist$`;
  return [revokeAll, ...statements]
    .map(
      (statement) => `${statement};
`,
    )
    .join('');
}

/**
 * The schemas in which names without a schema are looked up by who uses the database, as SQL; undefined for the server's
 * default. The setting of the database's owner goes before that of the database.
 */
export function findSearchPath(statements: readonly string[]): string | undefined {
  const owner = / OWNER TO (.+)$/s.exec(statements[0] ?? '')?.[1];
  const found = (pattern: RegExp, prefix: string) =>
    statements.filter((each) => each.startsWith(prefix)).flatMap((each) => pattern.exec(each)?.[1] ?? [])[0];
  const value = / SET search_path TO (.+)$/s;
  return found(value, `ALTER ROLE ${owner} IN DATABASE `) ?? found(value, 'ALTER DATABASE ');
}
