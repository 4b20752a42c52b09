import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { confirmChanges, confirmLoss } from '../../src/ui/prompt.ts';
import { createColors } from '../../src/ui/style.ts';
import { describeUp, toUpValue } from '../../src/ui/summary.ts';
import { toTable } from '../../src/ui/table.ts';
import { createScreen } from '../fakes/screen.ts';

const { signal } = new AbortController();

test('the result goes to stdout, everything else to stderr', () => {
  const { ui, stdout, stderr } = createScreen();
  ui.result({ ready: true }, 'ready');
  ui.say('creating the cluster');
  ui.detail('only under --verbose');
  ui.warn('watch out');
  expect(stdout()).toBe('ready\n');
  expect(stderr()).toBe('creating the cluster\nwatch out\n');
});

test('--json, --quiet and --verbose', () => {
  const { ui, stdout, stderr } = createScreen({ json: true, quiet: true });
  ui.result({ ready: true }, 'ready');
  ui.say('creating the cluster');
  ui.warn('watch out');
  expect(JSON.parse(stdout())).toEqual({ ready: true });
  expect(stderr()).toBe('watch out\n');
  const verbose = createScreen({ verbose: true });
  verbose.ui.detail('kind create cluster');
  expect(verbose.stderr()).toBe('kind create cluster\n');
});

test('colours only on a terminal, and never escape sequences from outside', () => {
  const file = createScreen();
  file.ui.warn(`${createColors(true).red('red')}\x1b[2J`);
  expect(file.stderr()).toBe('red\n');
  const terminal = createScreen({ terminal: true });
  terminal.ui.warn(`${terminal.ui.colors.red('red')}\x1b[2J`);
  expect(terminal.stderr()).toBe('\x1b[31mred\x1b[39m\n');
});

test('a streamed result is sanitized, too, and waits for its reader', async () => {
  const { ui, stdout } = createScreen();
  await ui.stream('one\x1b[2J\n');
  expect(stdout()).toBe('one\n');

  const slow = new PassThrough({ highWaterMark: 1 });
  const screen = createScreen({ stdout: slow as unknown as NodeJS.WriteStream });
  let isWritten = false;
  const written = screen.ui.stream('more than there is room for\n').then(() => {
    isWritten = true;
  });
  await new Promise(setImmediate);
  expect(isWritten).toBe(false);
  slow.resume();
  await written;

  // The output is closed.
  const gone = new PassThrough({ highWaterMark: 1 });
  const unread = createScreen({ stdout: gone as unknown as NodeJS.WriteStream }).ui.stream('x\n');
  gone.destroy();
  await unread;
});

test('columns are aligned, with and without colours and head', () => {
  const { red } = createColors(true);
  const rows = [
    ['auth-service', 'ready'],
    [red('chat'), 'STALE'],
  ];
  expect(toTable(rows, ['service', 'state'])).toBe(
    `service       state\nauth-service  ready\n${red('chat')}          STALE`,
  );
  expect(toTable([['a', 'b']])).toBe('a  b');
});

test('the result of up: addresses, duration, and the slowest steps first', () => {
  const step = (name: string, milliseconds: number, skipped?: string) => {
    return { stage: 'Stage', step: name, milliseconds, skipped };
  };
  const steps = [
    step('Tools', 9_000, 'there'),
    step('Create cluster', 12_000),
    step('Load', 400),
    step('Build', 65_000),
  ];
  const addresses = [{ name: 'frontend', url: 'http://localhost' }];
  expect(describeUp({ milliseconds: 80_000, steps }, addresses, createColors(false)).split('\n')).toEqual([
    '✔ ready in 1 min 20 s',
    '  frontend  http://localhost',
    '',
    'slowest steps',
    '  1 min 05 s  Build',
    '  12 s        Create cluster',
  ]);
  expect(toUpValue({ milliseconds: 80_000, steps }, addresses)).toMatchObject({ changed: true, addresses });
  const unchanged = { milliseconds: 900, steps: [step('Tools', 100, 'there')] };
  expect(describeUp(unchanged, [], createColors(false))).toBe('✔ up to date in 0.9 s');
  expect(toUpValue(unchanged, [])).toMatchObject({ changed: false });
});

test('confirmation: asked once for all, given in advance, or a failure with the list and the flag', async () => {
  const asking = { signal, commandWithYes: 'npm run up -- --yes' };
  const changes = ['install docker.io (apt)', 'sysctl fs.inotify.max_user_instances=512'];
  const screen = createScreen();
  await confirmChanges([], { ...screen, ...asking, yes: false });
  expect(screen.stderr()).toBe('');
  await expect(confirmChanges(changes, { ...screen, ...asking, yes: false })).rejects.toMatchObject({
    ...{ exitCode: 2, hint: 'npm run up -- --yes', cause: changes.join('\n') },
  });
  await confirmChanges(changes, { ...screen, ...asking, yes: true });
  expect(screen.stderr()).toContain('install docker.io (apt)');
});

test('a deletion is refused without a terminal to type the name on', async () => {
  const asking = { signal, commandWithYes: 'npm run down -- --delete-data --yes' };
  const screen = createScreen();
  await expect(
    confirmLoss('wealist', ['PostgreSQL, 48 MB'], { ...screen, ...asking, yes: false }),
  ).rejects.toMatchObject({ exitCode: 9, hint: 'npm run down -- --delete-data --yes' });
  await confirmLoss('wealist', ['PostgreSQL, 48 MB'], { ...screen, ...asking, yes: true });
  expect(screen.stderr()).toContain('PostgreSQL, 48 MB');
});
