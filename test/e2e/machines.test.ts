import { afterAll, beforeAll, describe, expect } from 'vitest';
import { type ImageStore, type Machine, startMachine } from './machine/machine.ts';
import { test } from './shared-checkout.ts';

const report = (line: string) => void process.stderr.write(`${line}\n`);
const stores: readonly ImageStore[] = ['overlay2', 'containerd'];

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
    expect(await machine.asRoot('docker ps --all --quiet; ls /home/dev/.local/share/wealist-local')).toBe('');
    expect(await machine.asRoot('ls -d /tmp/wealist-* /var/tmp/wealist-* 2>/dev/null || true')).toBe('');
  });
});
