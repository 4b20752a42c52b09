import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { defineCommand } from '../../src/cli/command.ts';
import { rejectSwallowedFlags } from '../../src/cli/npm-flags.ts';
import { dryRun, yes } from '../../src/cli/options.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const reload = defineCommand({
  description: 'rebuild a service',
  options: {
    ...{ yes, dryRun },
    watch: { summary: 'on each save' },
    noFollow: { summary: 'end with what there is' },
    since: {
      value: 'duration',
      summary: '',
      example: '5m',
      parse: (text: string) => (/^\d+m$/.test(text) ? text : undefined),
    },
    name: { value: 'cluster', summary: '' },
  },
  async run() {},
});

/** What npm 11 sets for `npm run reload …`, with these flags typed or set. */
const underNpm = (flags: Readonly<Record<string, string>>) => ({ npm_lifecycle_event: 'reload', ...flags });

const check = (args: readonly string[], env: Readonly<Record<string, string>>) =>
  rejectSwallowedFlags({ name: 'reload', command: reload, args, env, npmEnvironFile: '/dev/null' });

test.each([
  [['x'], { npm_config_watch: 'true' }, 'npm run reload -- x --watch'],
  [[], { npm_config_yes: 'true' }, 'npm run reload -- --yes'],
  [['x'], { npm_config_dry_run: 'true' }, 'npm run reload -- x --dry-run'],
  [[], { npm_config_json: 'true' }, 'npm run reload -- --json'],
  // npm parses `--no-follow` as follow being false.
  [['x'], { npm_config_follow: '' }, 'npm run reload -- x --no-follow'],
  [['x'], { npm_config_since: '5m' }, 'npm run reload -- x --since 5m'],
  // Of `--since 5m` npm takes the flag and leaves the value among the arguments.
  [['x', '5m'], { npm_config_since: 'true' }, 'npm run reload -- x --since 5m'],
  [['5m', 'x'], { npm_config_since: 'true' }, 'npm run reload -- x --since 5m'],
  [['x'], { npm_config_since: 'true' }, 'npm run reload -- x --since <duration>'],
  [['x'], { npm_config_name: 'mine', npm_config_watch: 'true' }, 'npm run reload -- x --watch --name mine'],
])('%j with %j is refused with the intended line', async (args, flags, hint) => {
  await expect(check(args, underNpm(flags))).rejects.toMatchObject({ exitCode: 2, hint });
});

test.each([
  ['nothing set', underNpm({})],
  ["npm's own flags", underNpm({ npm_config_loglevel: 'silent', npm_config_force: 'true' })],
  ['a flag that is off', underNpm({ npm_config_yes: '', npm_config_watch: 'false' })],
  ['the opposite of a flag', underNpm({ npm_config_follow: 'true' })],
  ['not under npm', { npm_config_yes: 'true' }],
  ['set in the environment, in capitals', underNpm({ NPM_CONFIG_YES: 'true', npm_config_yes: 'true' })],
])('passes: %s', async (_, env) => {
  await check(['x'], env);
});

for (const variable of ['npm_config_userconfig', 'npm_config_globalconfig']) {
  test(`a flag that is set in the file of ${variable} does not count as a typed one`, async () => {
    const file = join(await makeTemporaryFolder(), '.npmrc');
    await writeFile(file, 'fund=false\n yes = "true"\ndry-run\n');
    await check(['x'], underNpm({ [variable]: file, npm_config_yes: 'true', npm_config_dry_run: 'true' }));
    await expect(
      check(['x'], underNpm({ [variable]: file, npm_config_yes: 'true', npm_config_watch: 'true' })),
    ).rejects.toMatchObject({ hint: 'npm run reload -- x --watch' });
  });
}

test('a flag that is false in an .npmrc counts as typed when it is true', async () => {
  const folder = await makeTemporaryFolder();
  await writeFile(join(folder, '.npmrc'), 'yes=false\n');
  const env = underNpm({ npm_config_local_prefix: folder, npm_config_yes: 'true' });
  await expect(check(['x'], env)).rejects.toMatchObject({ hint: 'npm run reload -- x --yes' });
});

test('nor does one from the environment in which npm was started', async () => {
  const npmEnvironFile = join(await makeTemporaryFolder(), 'environ');
  await writeFile(npmEnvironFile, 'HOME=/root\0npm_config_yes=true\0');
  const run = { name: 'reload', command: reload, args: [], npmEnvironFile };
  await rejectSwallowedFlags({ ...run, env: underNpm({ npm_config_yes: 'true' }) });
  await expect(
    rejectSwallowedFlags({ ...run, env: underNpm({ npm_config_watch: 'true' }) }),
  ).rejects.toThrow();
});

test("nor does one from the project's .npmrc", async () => {
  const folder = await makeTemporaryFolder();
  await writeFile(join(folder, '.npmrc'), 'yes=true\n');
  await check(['x'], underNpm({ npm_config_local_prefix: folder, npm_config_yes: 'true' }));
});
