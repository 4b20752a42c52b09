import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { platform } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

const checkout = join(import.meta.dirname, '../../..');
const program = join(checkout, 'src/bin.js');

/** Runs `env` on a terminal, which util-linux's `script` provides, and types keys. */
async function start(words = 'env') {
  const state = await makeTemporaryFolder();
  // Without a container engine and without the user's kubeconfig.
  const settings = { WEALIST_STATE_DIR: state, KUBECONFIG: '/nowhere', DOCKER_HOST: 'unix:///nowhere.sock' };
  const { PATH = '', HOME = '' } = process.env;
  const command = `stty cols 140 rows 40; exec '${process.execPath}' '${program}' ${words}`;
  const child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    cwd: checkout,
    env: { PATH, HOME, TERM: 'xterm', ...settings },
    stdio: 'pipe',
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let shown = '';
  child.stdout.on('data', (chunk) => {
    shown += chunk;
  });
  const ended = once(child, 'close').then(([exitCode]) => Number(exitCode));
  return {
    shown: () => shown,
    ended,
    chosen: () => readFile(join(state, 'environment.json'), 'utf8').catch(() => 'nothing'),
    async see(text: string) {
      await expect.poll(() => shown, { timeout: 20_000 }).toContain(text);
    },
    type: (keys: string) => child.stdin.write(keys),
  };
}

test.skipIf(platform() !== 'linux')(
  'the list shows the cluster of each environment and is filtered by typing',
  async () => {
    const { see, type, ended, shown, chosen } = await start();
    const texts = [
      'kind cluster wealist',
      'kube context wealist-prod',
      'not trusted yet',
      'remote, read-only:',
    ];
    for (const text of texts) await see(text);
    type('stag');
    await see('its cluster: npm run env trust staging');
    type('\r');
    expect(await ended).toBe(0);
    expect(shown()).toContain('switched to environment staging, read-only');
    expect(JSON.parse(await chosen())).toEqual({ version: 1, name: 'staging' });
  },
);

test.skipIf(platform() !== 'linux')('arrow keys move, and Ctrl-C changes nothing', async () => {
  const { see, type, ended, shown, chosen } = await start();
  await see('kube context wealist-prod');
  type('\u001b[B');
  await see('its cluster: npm run env trust dev');
  type('\u0003');
  expect(await ended).toBe(130);
  expect(shown()).toContain('interrupted, nothing was changed');
  expect(await chosen()).toBe('nothing');
});
