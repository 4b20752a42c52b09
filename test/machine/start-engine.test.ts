import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { createRoot } from '../../src/machine/changes/root.ts';
import { restartEngine, startEngine } from '../../src/machine/changes/start-engine.ts';
import { type FakeHostOptions, makeHost } from '../fakes/host.ts';

const run = () => ({ signal: new AbortController().signal, report: () => {} });

async function prepare(options: FakeHostOptions = {}) {
  const fake = await makeHost({
    ...options,
    programs: { 'start-stop-daemon': '', systemctl: '', ...options.programs },
  });
  const log = join(fake.root, 'state/logs/dockerd.log');
  let questions = 0;
  // An engine takes a moment until it answers.
  const isRunning = async () => (await fake.calls()).length > 0 && ++questions > 2;
  return { ...fake, root: createRoot(fake.host, fake.exec), folder: fake.root, log, isRunning };
}

test('detached, with its output in a file, and waited for', async () => {
  const { root, host, log, isRunning, calls, folder } = await prepare();
  const change = startEngine(root, { host, log, interval: 1, isRunning });
  expect(await change.isNeeded()).toBe(true);
  await change.apply(run());
  expect(await calls()).toEqual([
    `start-stop-daemon --start --background --oknodo --pidfile ${folder}/var/run/docker.pid --output ${log} --exec /usr/sbin/dockerd -- --log-level=warn`,
  ]);
  expect(await change.isNeeded()).toBe(false);
});

test("a long log is begun anew, in a folder that stays this user's", async () => {
  const { root, host, log, isRunning } = await prepare();
  await mkdir(dirname(log), { recursive: true });
  await writeFile(log, 'x'.repeat(1024 * 1024 + 1));
  await startEngine(root, { host, log, interval: 1, isRunning }).apply(run());
  expect(await readdir(dirname(log))).toEqual(['dockerd.log.old']);
  expect((await stat(dirname(log))).uid).toBe(process.getuid?.());
});

test('a number left from before a reboot that is now another program is removed', async () => {
  const files = { 'var/run/docker.pid': '812', 'proc/812/comm': 'nginx\n' };
  const { root, host, log, isRunning, folder } = await prepare({ files });
  await startEngine(root, { host, log, interval: 1, isRunning }).apply(run());
  await expect(readFile(join(folder, 'var/run/docker.pid'))).rejects.toThrow('ENOENT');
});

test('the number of an engine that lives stays', async () => {
  const files = { 'var/run/docker.pid': '812', 'proc/812/comm': 'dockerd\n' };
  const { root, host, log, isRunning, folder } = await prepare({ files });
  await startEngine(root, { host, log, interval: 1, isRunning }).apply(run());
  expect(await readFile(join(folder, 'var/run/docker.pid'), 'utf8')).toBe('812');
});

test('through systemd where it runs', async () => {
  const { root, host, log, isRunning, calls } = await prepare({ files: { 'run/systemd/system/x': '' } });
  await startEngine(root, { host, log, interval: 1, isRunning }).apply(run());
  await restartEngine(root, { host, log, interval: 1, isRunning, why: 'its settings changed' }).apply(run());
  expect(await calls()).toEqual(['systemctl enable --now docker', 'systemctl restart docker']);
});

test('restarted without systemd: ended, then started', async () => {
  const { root, host, log, isRunning, calls } = await prepare();
  await restartEngine(root, { host, log, interval: 1, isRunning, why: 'its settings changed' }).apply(run());
  expect((await calls()).map((call) => call.split(' ')[1])).toEqual(['--stop', '--start']);
});

test('one that does not start is reported with the end of its log', async () => {
  const { root, host, log } = await prepare();
  await mkdir(join(log, '..'), { recursive: true });
  await writeFile(log, 'one\ntwo\nfailed to start daemon: no iptables\n');
  const change = startEngine(root, { host, log, interval: 1, isRunning: async () => false, timeout: 1 });
  await expect(change.apply(run())).rejects.toMatchObject({
    message: 'dockerd did not respond within 0.001 s',
    cause: expect.stringContaining('no iptables'),
    hint: `tail -n 50 ${log}`,
    exitCode: 3,
  });
});

test('an error that is known has its own way out', async () => {
  const { root, host, log } = await prepare();
  await mkdir(join(log, '..'), { recursive: true });
  await writeFile(log, 'failed to start daemon: iptables: Could not fetch rule set generation id\n');
  const change = startEngine(root, { host, log, isRunning: async () => false, timeout: 1, interval: 1 });
  await expect(change.apply(run())).rejects.toMatchObject({
    hint: 'sudo update-alternatives --set iptables /usr/sbin/iptables-legacy',
  });
});

test('who is not root uses sudo, which never asks in the middle', async () => {
  const { root, host, log, isRunning, calls } = await prepare({
    uid: 1000,
    user: 'ada',
    programs: { sudo: 'shift 2; exec "$@"' },
  });
  await startEngine(root, { host, log, interval: 1, isRunning }).apply(run());
  const programs = (await calls()).map((call) => call.split(' ').slice(0, 5).join(' '));
  expect(programs).toEqual([
    'sudo -n -- env start-stop-daemon',
    'start-stop-daemon --start --background --oknodo --pidfile',
  ]);
});

test('without sudo, the hint has the command for root', async () => {
  const { root, host, log, isRunning } = await prepare({ uid: 1000, user: 'ada' });
  await expect(startEngine(root, { host, log, interval: 1, isRunning }).apply(run())).rejects.toMatchObject({
    hint: expect.stringContaining("su -c 'start-stop-daemon"),
  });
});
