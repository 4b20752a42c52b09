import { beforeAll, describe, expect, onTestFinished } from 'vitest';
import { StatusReport } from '../../src/commands/context/status/status-report.ts';
import { listObjects, namespace } from './cluster.ts';
import { request, requestJson } from './ingress.ts';
import { sendRequests } from './requests.ts';
import type { Running } from './running.ts';
import { sharedCheckout, test } from './shared-checkout.ts';

const checkout = sharedCheckout();
const refusal = 'login without a password exists only where ENV is local';
let origin = '';

beforeAll(async () => {
  origin = (await checkout.up()).addresses[0]?.url ?? '';
});

/** `reload --watch` until the end of the test; `next` resolves to what it prints after what was seen before. */
async function watch(...services: string[]) {
  const watching: Running = checkout.start('reload', '--watch', ...services);
  onTestFinished(() => watching.kill());
  let seen = 0;
  async function next(pattern: RegExp): Promise<string> {
    const find = () => pattern.exec(watching.printed().slice(seen))?.[0];
    await expect.poll(find, { timeout: 60_000, interval: 10 }).toBeDefined();
    const line = find() ?? '';
    seen = watching.printed().indexOf(line, seen) + line.length;
    process.stderr.write(`${line}\n`);
    return line;
  }
  // Each for itself, in whatever order they are found to run.
  for (const name of services) {
    const begun = new RegExp(`${name} (already running|runs)`);
    await expect.poll(() => watching.printed(), { timeout: 60_000 }).toMatch(begun);
  }
  seen = watching.printed().length;
  return { watching, next };
}

async function edit(path: string, change: (text: string) => string): Promise<() => Promise<void>> {
  const undo = await checkout.edit(path, change);
  onTestFinished(undo);
  return undo;
}

async function readPod(service: string) {
  const selector = `--selector=app.kubernetes.io/name=${service}`;
  const pods = await listObjects(checkout, 'pods', `--namespace=${namespace}`, selector);
  const [pod] = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  return { uid: pod?.metadata.uid, restarts: pod?.status.containerStatuses?.[0]?.restartCount };
}

describe('reload --watch', () => {
  test('a save is in the running container: another program, another page, and no request is lost', async () => {
    const { next, watching } = await watch('noti-service', 'frontend');
    const before = { noti: await readPod('noti-service'), frontend: await readPod('frontend') };
    const asking = sendRequests(`${origin}svc/noti/`);
    for (const channel of ['one', 'two', 'three']) {
      await edit('services/noti-service/service.ts', (text) =>
        text.replace(/'noti:\w+'/, `'noti:${channel}'`),
      );
      await next(/noti-service live after \d+\.\d\d s: 1 file on top of wealist\.local\/noti-service:\w{12}/);
    }
    const answers = await asking.stop();
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    // The image's own program and the three that came over it.
    const hashes = new Set(
      answers.map(({ body }) => (JSON.parse(body) as { sourceHash: string }).sourceHash),
    );
    expect(hashes.size).toBe(4);

    await edit('services/frontend/public/index.html', (text) =>
      text.replace(/<title>.*<\/title>/, '<title>live</title>'),
    );
    await next(/frontend live after .*/);
    expect((await request(origin)).body).toContain('<title>live</title>');
    expect({ noti: await readPod('noti-service'), frontend: await readPod('frontend') }).toEqual(before);

    const { stdout } = await checkout.run('status', '--json');
    const { parts } = StatusReport.parse(JSON.parse(stdout));
    expect(parts.find(({ name }) => name === 'frontend')?.freshness).toMatchObject({ state: 'live' });
    watching.signalGroup('SIGINT');
    expect(await watching.ended).toMatchObject({ exitCode: 130 });

    // What is rolled out next is built from source, and nothing is live over it.
    expect(await checkout.run('reload', 'frontend')).toMatchObject({
      stdout: expect.stringMatching(/frontend runs wealist\.local\/frontend:\w{12} after/),
      exitCode: 0,
    });
    expect((await request(origin)).body).toContain('<title>live</title>');
    expect((await readPod('frontend')).uid).not.toBe(before.frontend.uid);
  });

  test('what cannot be put into a running container takes an image; what does not compile, the next save', async () => {
    const { next, watching } = await watch('auth-service');
    const before = await readPod('auth-service');
    const login = () => request(`${origin}svc/auth/api/auth/login`, { method: 'POST', body: '{"name":""}' });

    const undo = await edit('services/auth-service/service.ts', (text) => `${text}const const;\n`);
    await watching.said('auth-service does not compile: services/auth-service/service.ts:');
    await undo();
    await edit('services/auth-service/login-routes.ts', (text) => text.replace(refusal, 'another refusal'));
    await next(/auth-service live after .*/);
    expect((await login()).status).toBeLessThan(500);
    expect(await readPod('auth-service')).toEqual(before);

    // It connects to something else: no running process can take that over.
    await edit('services/auth-service/service.ts', (text) =>
      text.replace("'user-service'", "'board-service'"),
    );
    await next(/auth-service runs .* after .*/);
    const replaced = await readPod('auth-service');
    expect(replaced.uid).not.toBe(before.uid);
    const { dependencies } = await requestJson<{ dependencies: { name: string }[] }>(`${origin}svc/auth/`);
    expect(dependencies.map(({ name }) => name)).toContain('board-service');

    // What all stand-ins share is of no live folder.
    await edit('services/common/route.ts', (text) => `${text}\n// saved\n`);
    await next(/auth-service runs .* after .*/);
    expect((await readPod('auth-service')).uid).not.toBe(replaced.uid);
  });
});
