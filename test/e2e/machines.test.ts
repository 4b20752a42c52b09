import { afterAll, beforeAll, describe, expect } from 'vitest';
import { type ImageStore, type Machine, startMachine } from './machine/machine.ts';
import { test } from './shared-checkout.ts';

const report = (line: string) => void process.stderr.write(`${line}\n`);
const stores: readonly ImageStore[] = ['overlay2', 'containerd'];

/** What a developer does every day, as far as the machine may make a difference; each on a cluster of the run's own. */
const scenarios = ['daily', 'reload', 'watch', 'intercept', 'data', 'databases', 'own-source'];

describe.each(stores)('Debian 13 with Docker 26 and image store %s, as a normal user', (store) => {
  let machine: Machine;

  beforeAll(async () => {
    machine = await startMachine(store, report);
  });

  afterAll(async () => {
    await machine?.remove();
  });

  /** Runs a line that must succeed. Resolves to its stdout. */
  async function succeed(line: string): Promise<string> {
    const { exitCode, stdout, stderr, seconds } = await machine.run(line);
    expect({ line, exitCode, stdout, stderr }).toMatchObject({ exitCode: 0 });
    report(`${store}: ${line}: ${seconds.toFixed(1)} s`);
    return stdout;
  }

  test('one command installs Docker and ends with all services responding', {
    timeout: 20 * 60_000,
  }, async () => {
    // One session, which began before its user was in the group: the second command has it through sg as well.
    const groups = '(id -Gn | grep docker; true)';
    const stdout = await succeed(
      `${groups} && npm run --silent up -- --yes && npm run --silent status -- --exit-code`,
    );
    expect(stdout).toMatch(/✔ cluster wealist is running/);
    expect(await machine.asRoot('id -Gn dev')).toMatch(/\bdocker\b/);
    const info = await machine.asRoot("docker info --format '{{.ServerVersion}} {{.Driver}}'");
    expect(info.trim()).toMatch(store === 'containerd' ? /^26\..* overlayfs$/ : /^26\..* overlay2$/);
    report(`${store}: Docker ${info.trim()}`);
  });

  test('again, in a new login, nothing is changed', async () => {
    expect(await succeed('id -Gn')).toMatch(/\bdocker\b/);
    expect(JSON.parse(await succeed('npm run --silent up -- --json'))).toMatchObject({ changed: false });
    await succeed('npm run --silent doctor');
  });

  test('down --delete-data leaves nothing of the cluster', async () => {
    await succeed('npm run --silent down -- --delete-data --yes');
    await expectNothingLeft();
  });

  test(`the scenarios ${scenarios.join(', ')}`, { timeout: 45 * 60_000 }, async () => {
    const files = scenarios.map((name) => `test/e2e/${name}.test.ts`);
    const stdout = await succeed(`NO_COLOR=1 npm run --silent test:e2e -- ${files.join(' ')}`);
    report(stdout);
    // Without a container engine all would be skipped.
    expect(stdout).toMatch(/^ +Tests +\d+ passed \(\d+\)$/m);
    expect(stdout).toMatch(new RegExp(`^ +Test Files +${scenarios.length} passed \\(`, 'm'));
    await expectNothingLeft();
  });

  /** The engine has no container, and no folder of data or of temporary files is left. */
  async function expectNothingLeft(): Promise<void> {
    expect(await machine.asRoot('docker ps --all --quiet; ls /home/dev/.local/share/wealist-local')).toBe('');
    expect(await machine.asRoot('ls -d /tmp/wealist-* /var/tmp/wealist-* 2>/dev/null || true')).toBe('');
  }
});
