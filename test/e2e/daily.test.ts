import { beforeAll, describe, expect, onTestFinished } from 'vitest';
import { StatusReport } from '../../src/commands/status-report.ts';
import { kubectl, namespace } from './cluster.ts';
import { request, requestJson } from './ingress.ts';
import type { Running } from './running.ts';
import { sharedCheckout, test } from './shared-checkout.ts';

const checkout = sharedCheckout();
let origin = '';

beforeAll(async () => {
  origin = (await checkout.up()).addresses[0]?.url ?? '';
});

/** A command that goes on until Ctrl-C, which comes at the end of the test at the latest. */
function follow(command: string, ...words: string[]): Running {
  const running = checkout.start(command, ...words);
  onTestFinished(() => running.kill());
  return running;
}

describe('the daily commands', () => {
  test('status: all ready', async () => {
    const { stdout, exitCode } = await checkout.run('status', '--json', '--exit-code');
    expect(exitCode).toBe(0);
    const { ready, parts } = StatusReport.parse(JSON.parse(stdout));
    expect(ready).toBe(true);
    expect(parts.filter(({ kind }) => kind === 'service')).toHaveLength(8);
    expect(parts.filter(({ kind }) => kind === 'infrastructure').map(({ name }) => name)).toEqual(
      expect.arrayContaining(['postgres', 'redis', 's3']),
    );
  });

  test('logs: what was written, and what is written from now on', async () => {
    const words = ['user-service', '--no-follow', '--grep=listening'];
    expect(await checkout.run('logs', ...words)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/user-service.*listening/),
    });

    const following = follow('logs', 'user-service');
    // The lines of before come first.
    await following.said('listening');
    await requestJson(`${origin}svc/user/api/profiles/1`).catch(() => {});
    await following.said('/api/profiles/1');
    following.signalGroup('SIGINT');
    expect(await following.ended).toMatchObject({ exitCode: 130 });
  });

  test('forward: a port of this machine, which stays open while its pod is replaced', async () => {
    const forwarding = follow('forward', 'noti-service', '--json');
    await forwarding.said('open until Ctrl-C');
    const [, port] = /"port":(\d+)/.exec(forwarding.printed()) ?? [];
    const ready = `http://127.0.0.1:${port}/health/ready`;
    expect(await request(ready)).toMatchObject({ status: 200 });
    await kubectl(checkout, 'rollout', 'restart', 'deployment/noti-service', `--namespace=${namespace}`);
    await kubectl(checkout, 'rollout', 'status', 'deployment/noti-service', `--namespace=${namespace}`);
    expect(await request(ready)).toMatchObject({ status: 200 });
    forwarding.signalGroup('SIGINT');
    expect(await forwarding.ended).toMatchObject({ exitCode: 130 });
  });

  test('kubectl: pinned to the cluster, with its own exit code', async () => {
    const { stdout, exitCode } = await checkout.run('kubectl', 'get', 'nodes', '--output=name');
    expect({ stdout, exitCode }).toEqual({ stdout: `node/${checkout.name}-control-plane\n`, exitCode: 0 });
    expect(await checkout.run('kubectl', 'get', 'nodes', 'not-there')).toMatchObject({ exitCode: 1 });
  });

  test('doctor: nothing that would keep a cluster from running', async () => {
    const { stdout, exitCode } = await checkout.run('doctor', '--json');
    const { checks } = JSON.parse(stdout) as { checks: readonly { id: string; state: string }[] };
    expect(checks.filter(({ state }) => state === 'fail')).toEqual([]);
    expect(exitCode).toBe(0);
  });
});
