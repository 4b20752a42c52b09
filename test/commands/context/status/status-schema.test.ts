import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { toStatusSchema } from '../../../../src/commands/context/status/status-report.ts';

test('docs/status.schema.json is the schema of the status --json output', () => {
  const file = join(import.meta.dirname, '../../../../docs/status.schema.json');
  // Update it with: npm run -s status -- --schema > docs/status.schema.json
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(JSON.parse(JSON.stringify(toStatusSchema())));
});
