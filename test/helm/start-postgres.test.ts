import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exec } from '../../src/tools/exec.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const script = join(
  import.meta.dirname,
  '../../helm/charts/wealist-infrastructure/scripts/start-postgres.sh',
);

/** Runs the script on data of this major version, with programs of PostgreSQL 17 that print how they are called. */
async function start(version: string | undefined) {
  const folder = await makeTemporaryFolder();
  const data = join(folder, 'postgres');
  const bin = join(folder, 'bin');
  await mkdir(bin);
  if (version !== undefined) {
    await mkdir(data);
    await writeFile(join(data, 'PG_VERSION'), `${version}\n`);
  }
  const programs = {
    postgres:
      'case $1 in --version) echo "postgres (PostgreSQL) 17.6 (Debian 17.6-1)";; *) echo "postgres $1";; esac',
    initdb: 'shift; mkdir -p "$1"; echo 17 > "$1/PG_VERSION"',
  };
  for (const [name, text] of Object.entries(programs)) {
    await writeFile(join(bin, name), `#!/bin/sh\n${text}\n`);
    await chmod(join(bin, name), 0o755);
  }
  const text = (await readFile(script, 'utf8'))
    .replaceAll('/tmp/', `${folder}/`)
    .replaceAll('/data/postgres', data);
  const env = {
    PATH: `${bin}:${process.env.PATH}`,
    DB_USER: 'wealist',
    DB_PASSWORD: 'x',
    MAX_CONNECTIONS: '100',
  };
  const ended = exec('sh', ['-c', text], { env }).then(
    ({ stdout }) => stdout.trim(),
    (error) => error.cause,
  );
  return { printed: await ended, version: (await readFile(join(data, 'PG_VERSION'), 'utf8')).trim() };
}

test('PostgreSQL starts on data of its own major version, and makes them where there are none', async () => {
  expect(await start('17')).toEqual({ printed: 'postgres -D', version: '17' });
  expect(await start(undefined)).toEqual({ printed: 'postgres -D', version: '17' });
});

test('data of another major version are refused with the way to take them along, and not changed', async () => {
  const { printed, version } = await start('15');
  expect(printed).toMatch(
    /^the data are of PostgreSQL 15, and this image is PostgreSQL 17: .*npm run db restore NAME$/,
  );
  expect(version).toBe('15');
});
