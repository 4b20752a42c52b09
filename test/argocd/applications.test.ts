import { join } from 'node:path';
import { expect, it } from 'vitest';
import { serviceTable } from '../service-table.ts';
import { readGitSource, toApplicationFile, toApplicationText, toSyncWaves } from './application.ts';
import { checkout } from './apps.ts';

it.each([...toSyncWaves(serviceTable)])(
  'the Application of %s is that of the table: if not, run this file with -u',
  async (chart, wave) => {
    const file = join(checkout, toApplicationFile(chart));
    await expect(toApplicationText(chart, wave, await readGitSource(checkout))).toMatchFileSnapshot(file);
  },
);
