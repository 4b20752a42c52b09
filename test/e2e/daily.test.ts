import { Agent, get } from 'node:http';
import { beforeAll, describe, expect, onTestFinished } from 'vitest';
import { StatusReport } from '../../src/commands/context/status/status-report.ts';
import { kubectl, listObjects, namespace } from './cluster.ts';
import { requestJson } from './ingress.ts';
import type { Running } from './running.ts';
import { sharedCheckout, test } from './shared-checkout.ts';

const checkout = sharedCheckout();
let origin = '';

beforeAll(async () => {
  origin = (await checkout.up()).addresses[0]?.url ?? '';
});

async function listPods(name: string): Promise<readonly string[]> {
  const selector = `--selector=app.kubernetes.io/name=${name}`;
  const pods = await listObjects(checkout, 'pods', `--namespace=${namespace}`, selector);
  return pods.map(({ metadata }) => metadata.name);
}

/** The status of an answer; 0 where there was none. */
async function ask(url: string, agent: Agent | undefined): Promise<number> {
  return new Promise((resolve) => {
    const request = get(url, agent ? { agent } : {}, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    });
    request.on('error', () => resolve(0));
  });
}

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

  test('forward: a request every 10 ms while the pod is replaced, and none fails', async () => {
    const forwarding = follow('forward', 'noti-service', '--json');
    await forwarding.said('open until Ctrl-C');
    // It is printed on stdout, which may arrive later than stderr.
    await forwarding.said('"port":');
    const [, port] = /"port":(\d+)/.exec(forwarding.printed()) ?? [];
    // On connections of their own, and on a few that are kept.
    const agents = [new Agent(), new Agent({ keepAlive: true, maxSockets: 8 })];
    const answers: Promise<number>[] = [];
    const asking = setInterval(() => {
      const agent = agents[answers.length % agents.length];
      answers.push(ask(`http://127.0.0.1:${port}/health/live`, agent));
    }, 10);
    const where = `--namespace=${namespace}`;
    await kubectl(checkout, 'rollout', 'restart', 'deployment/noti-service', where);
    await kubectl(checkout, 'rollout', 'status', 'deployment/noti-service', where);
    // Until the old pod is gone.
    await expect.poll(() => listPods('noti-service')).toHaveLength(1);
    clearInterval(asking);
    const statuses = await Promise.all(answers);
    process.stderr.write(`${statuses.length} requests while the pod was replaced\n`);
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
    expect(statuses.length).toBeGreaterThan(50);
    forwarding.signalGroup('SIGINT');
    expect(await forwarding.ended).toMatchObject({ exitCode: 130 });
  });

  test('shell: a shell on a terminal; one command with its exit code', async () => {
    const { shown, exitCode } = await checkout.type(
      [
        { after: '$ ', line: 'echo in $(hostname)' },
        { after: '$ ', line: 'exit 4' },
      ],
      'shell',
      'user-service',
    );
    expect({ shown, exitCode }).toMatchObject({
      shown: expect.stringMatching(/in user-service-/),
      exitCode: 4,
    });
    expect(await checkout.run('shell', 'postgres', '--', 'sh', '-c', 'ls /data; exit 7')).toMatchObject({
      stdout: 'postgres\n',
      exitCode: 7,
    });
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
