import { expect, test } from 'vitest';
import { findSearchPath, toPropertiesScript } from '../../src/tools/postgres-properties.ts';

const owner = 'ALTER DATABASE users_db OWNER TO "user-service"';
const ofDatabase = "ALTER DATABASE users_db SET search_path TO 'app', '$user'";
const ofOwner = `ALTER ROLE "user-service" IN DATABASE users_db SET search_path TO ''`;
const ofOther = "ALTER ROLE other IN DATABASE users_db SET search_path TO 'others'";

test.each([
  ['without a setting, the default', [owner], undefined],
  ['the setting of the database', [owner, ofDatabase, ofOther], "'app', '$user'"],
  ["the owner's setting first", [owner, ofDatabase, ofOther, ofOwner], "''"],
  ['no setting of another role', [owner, ofOther], undefined],
  ['no text of a comment', [owner, "COMMENT ON DATABASE users_db IS ' SET search_path TO x'"], undefined],
])('the search path of who uses a database: %s', (_, statements, path) => {
  expect(findSearchPath(statements)).toBe(path);
});

test('privileges are replaced, not added to; nothing saved changes nothing', () => {
  const script = toPropertiesScript('users_db', [owner]);
  expect(script.indexOf('REVOKE ALL ON DATABASE "users_db"')).toBeGreaterThan(0);
  expect(script.endsWith(`;\n${owner};\n`)).toBe(true);
  expect(toPropertiesScript('users_db', undefined)).toBe('');
});
