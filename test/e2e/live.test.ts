import { chmod, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { connect } from 'node:http2';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, onTestFinished } from 'vitest';
import { StatusReport } from '../../src/commands/context/status/status-report.ts';
import { baseOf, loadBase } from './base-image.ts';
import { docker, listObjects, namespace } from './cluster.ts';
import { request, requestJson } from './ingress.ts';
import { checkProgram, type LiveAnswer, liveProgram } from './live-program.ts';
import { sendRequests } from './requests.ts';
import type { Running } from './running.ts';
import { sharedCheckout, test } from './shared-checkout.ts';

const checkout = sharedCheckout();
const service = 'noti-service';
const source = join(checkout.folder, 'live-source');
const base = baseOf(checkout);
let origin = '';

const at = (path: string) => join(source, 'services', service, path);
async function write(path: string, content: string, mode = 0o644): Promise<void> {
  await mkdir(dirname(at(path)), { recursive: true, mode: 0o755 });
  await writeFile(at(path), content);
  await chmod(at(path), mode);
}

const settings = `
source: ${JSON.stringify(source)}
services:
  ${service}:
    live:
      - { from: services/${service}/live, to: /srv/live }
      - { from: services/${service}/conf, to: /srv/conf, then: restart }
      - { from: services/${service}/data, to: /srv/data, then: { exec: [node, /srv/check.js] } }
`;

const dockerfile = `
FROM ${base}
COPY services/${service}/ /srv/
CMD ["node", "/srv/server.js"]
`;

beforeAll(async () => {
  await loadBase(checkout);
  await write('docker/Dockerfile', dockerfile);
  await write('server.js', liveProgram);
  await write('check.js', checkProgram);
  await write('live/a.txt', 'a1');
  await write('live/b.txt', 'b1');
  await write('live/old/one.txt', 'one');
  await write('live/Case.txt', 'case');
  await write('live/mode.sh', 'mode');
  await write('conf/name', 'first');
  await write('data/text', 'good');
  await writeFile(join(checkout.root, 'env/local.yaml'), settings);
  origin = (await checkout.up()).addresses[0]?.url ?? '';
});

afterAll(async () => {
  await rm(join(checkout.root, 'env/local.yaml'), { force: true });
  const built = await docker('images', '--format={{.Repository}}:{{.Tag}}', `wealist.local/${service}`);
  await docker('image', 'rm', '--force', base, ...built);
});

const ask = () => requestJson<LiveAnswer>(`${origin}svc/noti/`);

/** `reload --watch` until the end of the test; `next` resolves to what it prints next. */
async function watch() {
  const watching: Running = checkout.start('reload', '--watch', service);
  onTestFinished(() => watching.kill());
  let seen = 0;
  async function next(pattern: RegExp): Promise<string> {
    const find = () => pattern.exec(watching.printed().slice(seen))?.[0];
    await expect.poll(find, { timeout: 120_000, interval: 10 }).toBeDefined();
    const line = find() ?? '';
    seen = watching.printed().indexOf(line, seen) + line.length;
    process.stderr.write(`${line}\n`);
    return line;
  }
  await next(new RegExp(`${service} (already running|runs) .*`));
  return { watching, next };
}

async function readPod() {
  const selector = `--selector=app.kubernetes.io/name=${service}`;
  const pods = await listObjects(checkout, 'pods', `--namespace=${namespace}`, selector);
  const [pod] = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  return { uid: pod?.metadata.uid, restarts: pod?.status.containerStatuses?.[0]?.restartCount };
}

async function readFreshness() {
  const { stdout } = await checkout.run('status', '--json');
  const { parts } = StatusReport.parse(JSON.parse(stdout));
  return parts.find(({ name }) => name === service)?.freshness;
}

const crash = () => request(`${origin}svc/noti/crash`).catch(() => {});

describe('live updates of a service with a Dockerfile', () => {
  test('are what an image would have, and go whole into each container that starts', async () => {
    const { watching, next } = await watch();
    const before = await readPod();
    await write('live/a.txt', 'a2');
    await next(/live after .*/);
    await rename(at('live/old'), at('live/새 폴더'));
    await rename(at('live/Case.txt'), at('live/case.txt'));
    await chmod(at('live/mode.sh'), 0o755);
    await symlink('a.txt', at('live/-link'));
    await mkdir(at('live/empty folder'), { mode: 0o755 });
    await rm(at('live/b.txt'));
    const files = {
      ...{ 'a.txt': '644 a2', 'case.txt': '644 case', 'mode.sh': '755 mode', '-link': '-> a.txt' },
      ...{ '새 폴더': '/', '새 폴더/one.txt': '644 one', 'empty folder': '/' },
    };
    await expect.poll(async () => (await ask()).files, { timeout: 20_000 }).toEqual(files);
    expect(await readPod()).toEqual(before);
    await expect.poll(readFreshness, { timeout: 20_000 }).toMatchObject({ state: 'live' });

    const asking = sendRequests(`${origin}svc/noti/`, { interval: 50 });
    await crash();
    await next(/live again in \S+, which has started: .*/);
    await expect
      .poll(async () => (await ask().catch(() => undefined))?.files, { timeout: 20_000 })
      .toEqual(files);
    const answers = (await asking.stop()).filter(({ status }) => status === 200);
    const old = answers.filter(({ body }) => !body.includes('a2')).length;
    process.stderr.write(`of ${answers.length} answers, ${old} were of the image's files\n`);
    expect((await readPod()).restarts).toBe((before.restarts ?? 0) + 1);
    expect(await readFreshness()).toMatchObject({ state: 'live' });

    const scale = (count: number) =>
      checkout.run(
        'kubectl',
        'scale',
        `--namespace=${namespace}`,
        `deployment/${service}`,
        `--replicas=${count}`,
      );
    await scale(2);
    await next(/live again in \S+, which has started: .*/);
    await expect.poll(readFreshness, { timeout: 20_000 }).toMatchObject({ state: 'live' });
    await scale(1);

    watching.signalGroup('SIGINT');
    await watching.ended;
    await crash();
    // The container has the image's files, and no watch puts others there.
    await expect.poll(readFreshness, { timeout: 60_000, interval: 500 }).toMatchObject({ state: 'stale' });
  });

  test('are followed by a restart of the program, or by a command', async () => {
    const { watching, next } = await watch();
    const before = { pod: await readPod(), conf: (await ask()).conf };
    expect(before.conf).toBe('first');
    for (const conf of ['second', 'third']) {
      await write('conf/name', conf);
      await next(/live after .*/);
      await expect
        .poll(async () => (await ask().catch(() => undefined))?.conf, { timeout: 20_000 })
        .toBe(conf);
    }
    expect(await readPod()).toEqual(before.pod);
    // A program that has crashed starts with the image's files, and again with the live ones.
    await crash();
    await next(/live again in .*/);
    await expect
      .poll(async () => (await ask().catch(() => undefined))?.conf, { timeout: 20_000 })
      .toBe('third');

    await write('data/text', 'better');
    await watching.said(`${service}: checked better`);
    await next(/live after .*/);
    await write('data/text', 'bad');
    await watching.said('exit code 3');
    expect(await readFreshness()).toMatchObject({ state: 'stale' });
    await write('data/text', 'good again');
    await next(/live after .*/);
    expect(await readFreshness()).toMatchObject({ state: 'live' });
  });
});

/** The version of HTTP and the answer over HTTP/2 without TLS, as gRPC uses it. */
async function askHttp2(port: number): Promise<LiveAnswer> {
  const session = connect(`http://127.0.0.1:${port}`);
  try {
    const stream = session.request({ ':path': '/' });
    return JSON.parse(await text(stream));
  } finally {
    session.destroy();
  }
}

describe('commands that run', () => {
  test('find the new cluster after down and up; forward speaks HTTP/2 before and after', async () => {
    const { next } = await watch();
    const forwarding = checkout.start('forward', service, '--json');
    const logging = checkout.start('logs', service);
    onTestFinished(() => forwarding.kill());
    onTestFinished(() => logging.kill());
    await expect.poll(() => forwarding.printed(), { timeout: 30_000 }).not.toBe('');
    const port: number = JSON.parse(forwarding.printed()).forwards[0].port;
    expect(await askHttp2(port)).toMatchObject({ version: '2.0', conf: expect.any(String) });
    expect(await requestJson<LiveAnswer>(`http://127.0.0.1:${port}/`)).toMatchObject({ version: '1.1' });

    expect(await checkout.run('down')).toMatchObject({ exitCode: 0 });
    await forwarding.said('the cluster was removed: connections wait for it');
    await logging.said('the cluster was removed: waiting for it');
    // Its ports may be others than before.
    origin = (await checkout.up()).addresses[0]?.url ?? '';
    const ready = performance.now();
    expect(await askHttp2(port)).toMatchObject({ version: '2.0' });
    process.stderr.write(`forward answered ${Math.round(performance.now() - ready)} ms after up\n`);
    await write('live/a.txt', 'after up');
    await next(/live after .*/);
    expect((await ask()).files['a.txt']).toBe('644 after up');
    const countStarts = () => logging.printed().match(/started with/g)?.length ?? 0;
    const before = countStarts();
    await crash();
    await next(/live again in .*/);
    await expect.poll(countStarts, { timeout: 20_000 }).toBeGreaterThan(before);
  });
});
