import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { listSourceFiles } from '../../../src/images/source/source-files.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

test('lists source files without dependencies, hidden and temporary files', async () => {
  const folder = await makeTemporaryFolder();
  const kept = ['B.ts', 'a.ts', 'public/app.js', 'public/deep/er/icon.svg', 'with space.ts', 'ä.ts'];
  const left = [
    'node_modules/pg/index.js',
    'public/node_modules/x.js',
    '.env',
    '.git/HEAD',
    'public/.DS_Store',
    'a.ts~',
    '.a.ts.swp',
    'a.ts.swo',
    '4913',
    '#a.ts#',
    '.#a.ts',
    'a.ts.orig',
    'a.ts.tmp',
  ];
  for (const path of [...kept, ...left]) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), '');
  }
  await symlink('/etc/passwd', join(folder, 'link.ts'));
  expect(await listSourceFiles(folder)).toEqual(kept);
});
