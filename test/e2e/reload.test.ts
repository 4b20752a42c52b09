import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, onTestFinished } from 'vitest';
import { StatusReport } from '../../src/commands/context/status/status-report.ts';
import { docker, listImages, listObjects, namespace, nodeOf } from './cluster.ts';
import { request, requestJson } from './ingress.ts';
import { sendRequests } from './requests.ts';
import { sharedCheckout, test } from './shared-checkout.ts';

const checkout = sharedCheckout();
let origin = '';

beforeAll(async () => {
  origin = (await checkout.up()).addresses[0]?.url ?? '';
});

describe('reload', () => {
  test('an unchanged service already runs', async () => {
    const before = await readPods('frontend');
    const { stdout, exitCode } = await checkout.run('reload', 'frontend');
    expect({ stdout, exitCode }).toMatchObject({
      stdout: expect.stringContaining('already running'),
      exitCode: 0,
    });
    expect(await readPods('frontend')).toEqual(before);
  });

  test('a changed page is served, by pods that run what was built', async () => {
    const before = await readPods('frontend');
    await change(
      'services/frontend/public/index.html',
      '<title>weAlist, local</title>',
      '<title>reloaded</title>',
    );
    const { stdout, stderr, exitCode, seconds } = await checkout.run('reload', 'frontend');
    process.stderr.write(`reload: ${seconds.toFixed(1)} s: ${stdout}`);
    expect({ stderr, exitCode }).toMatchObject({ exitCode: 0 });
    expect((await request(origin)).body).toContain('<title>reloaded</title>');
    const after = await readPods('frontend');
    expect(after).toHaveLength(1);
    expect(after[0]?.imageID).not.toBe(before[0]?.imageID);
    // The name that the tool gave the image is that of its content.
    const [, tag = 'none'] = after[0]?.image.split(':') ?? [];
    expect(after[0]?.imageID).toContain(`sha256:${tag}`);
  });

  test('no request is lost, and the new code answers alone once the pods of before have ended', async () => {
    const asking = sendRequests(`${origin}svc/noti/`);
    await change('services/noti-service/service.ts', "'noti:all'", "'noti:each'");
    const { stderr, stdout, exitCode } = await checkout.run('reload', 'noti-service');
    expect({ stderr, exitCode }).toMatchObject({ exitCode: 0 });
    const [pod, ...others] = await readPods('noti-service');
    expect(others).toEqual([]);
    await expect.poll(countPods, { timeout: 20_000, interval: 250 }).toBe(1);
    const end = performance.now();
    await sleep(1_000);
    const answers = await asking.stop();
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    const { sourceHash } = await requestJson<{ sourceHash: string }>(`${origin}svc/noti/`);
    const later = answers.filter(({ at }) => at > end);
    expect(later.length).toBeGreaterThan(5);
    expect(later.filter(({ body }) => !body.includes(sourceHash))).toEqual([]);
    process.stderr.write(`${answers.length} requests, none lost, ${pod?.image}: ${stdout}`);
  });

  test('several at once, each with its own line', async () => {
    for (const name of ['noti', 'user']) {
      await change(`services/${name}-service/main.ts`, 'run(service);', 'run(service); // changed');
    }
    const { stdout, exitCode } = await checkout.run('reload', 'noti-service', 'user-service', '--json');
    expect(exitCode).toBe(0);
    const { services } = JSON.parse(stdout) as { services: { service: string; phases: object }[] };
    expect(services.map(({ service }) => service).sort()).toEqual(['noti-service', 'user-service']);
    for (const { phases } of services) expect(Object.keys(phases)).toEqual(['build', 'load', 'roll out']);
  });

  test('what is reloaded stays when up runs, and what is taken back is taken back', async () => {
    // Of the sources as they are; what the tests before have reloaded is not.
    await checkout.up();
    const [original] = await readPods('noti-service');
    const undo = await change('services/noti-service/service.ts', "'noti:all'", "'noti:everybody'");
    await checkout.run('reload', 'noti-service');
    const [reloaded] = await readPods('noti-service');
    expect(reloaded?.imageID).not.toBe(original?.imageID);
    const { sourceHash } = await requestJson<{ sourceHash: string }>(`${origin}svc/noti/`);

    await checkout.up();
    expect(await readPods('noti-service')).toMatchObject([{ imageID: reloaded?.imageID }]);
    expect(await requestJson(`${origin}svc/noti/`)).toMatchObject({ sourceHash });

    await undo();
    await checkout.up();
    expect(await readPods('noti-service')).toMatchObject([{ imageID: original?.imageID }]);
  });

  test('up finds that what was reloaded and then taken back still runs; status says so all along', async () => {
    const [original] = await readPods('noti-service');
    expect(await readFreshness('noti-service')).toMatchObject({ state: 'fresh' });
    // A source that no earlier run can have built: the engine keeps its images.
    const undo = await change('services/noti-service/service.ts', "'noti:all'", `'noti:${Date.now()}'`);
    expect(await readFreshness('noti-service')).toMatchObject({ state: 'stale', broken: 'built' });
    expect(await checkout.run('status', '--exit-code')).toMatchObject({ exitCode: 11 });
    await checkout.run('reload', 'noti-service');
    expect(await readFreshness('noti-service')).toMatchObject({ state: 'fresh' });
    await undo();
    expect(await readFreshness('noti-service')).toMatchObject({ state: 'stale', broken: 'running' });
    expect(await checkout.run('status')).toMatchObject({
      stdout: expect.stringMatching(/noti-service .* STALE .*next {2}npm run reload -- noti-service\n$/s),
    });
    expect(await checkout.up()).toMatchObject({ changed: true });
    expect(await readPods('noti-service')).toMatchObject([{ imageID: original?.imageID }]);
    expect(await readFreshness('noti-service')).toMatchObject({ state: 'fresh' });
  });

  test('status: an image that its node has lost while it runs', async () => {
    const [pod] = await readPods('noti-service');
    const reference = pod?.image ?? '';
    const ctr = ['exec', nodeOf(checkout.name), 'ctr', '--namespace=k8s.io', 'images'];
    await docker(...ctr, 'tag', reference, `${reference}-kept`);
    await docker(...ctr, 'remove', reference);
    expect(await readFreshness('noti-service')).toMatchObject({ state: 'stale', broken: 'loaded' });
    await docker(...ctr, 'tag', `${reference}-kept`, reference);
    await docker(...ctr, 'remove', `${reference}-kept`);
    expect(await readFreshness('noti-service')).toMatchObject({ state: 'fresh' });
  });

  test('the node keeps some of the images that a service had, and not all', async () => {
    const kept = (await listImages(checkout)).filter((name) =>
      name.startsWith('wealist.local/noti-service:'),
    );
    expect(kept.length).toBeGreaterThan(1);
    expect(kept.length).toBeLessThan(5);
  });

  test('a source that does not compile is exit code 7 with its place, and the old pods serve', async () => {
    await change('services/user-service/service.ts', 'export const service', 'export const const service');
    const { stderr, exitCode } = await checkout.run('reload', 'user-service');
    expect({ stderr, exitCode }).toMatchObject({
      stderr: expect.stringMatching(/services\/user-service\/service\.ts:\d+:\d+/),
      exitCode: 7,
    });
    expect(await request(`${origin}svc/user/health/ready`)).toMatchObject({ status: 200 });
  });
});

/** What `status` says of a service's source and what it runs. */
async function readFreshness(name: string) {
  const { stdout } = await checkout.run('status', '--json');
  return StatusReport.parse(JSON.parse(stdout)).parts.find((each) => each.name === name)?.freshness;
}

/** Replaces a text in a file of the copy, until the end of the test. */
async function change(path: string, old: string, replacement: string): Promise<() => Promise<void>> {
  const undo = await checkout.edit(path, (text) => text.replace(old, replacement));
  onTestFinished(undo);
  return undo;
}

/** Of noti-service, those that are ending, too. */
async function countPods(): Promise<number> {
  const selector = '--selector=app.kubernetes.io/name=noti-service';
  return (await listObjects(checkout, 'pods', `--namespace=${namespace}`, selector)).length;
}

async function readPods(service: string) {
  const selector = `--selector=app.kubernetes.io/name=${service}`;
  const pods = await listObjects(checkout, 'pods', `--namespace=${namespace}`, selector);
  return pods
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata, spec, status }) => ({
      uid: metadata.uid,
      image: spec.containers[0]?.image ?? '',
      imageID: status.containerStatuses?.[0]?.imageID ?? '',
    }));
}
