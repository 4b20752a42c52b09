import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect } from 'vitest';
import { WebSocket } from 'ws';
import type { UpResult } from './checkout.ts';
import {
  kubectl,
  listImages,
  listNodes,
  listObjects,
  listUnreadyPods,
  namespace,
  ours,
  readReleases,
} from './cluster.ts';
import { readRoutes, request, requestJson } from './ingress.ts';
import { sharedCheckout, test } from './shared-checkout.ts';

/** What `up --dry-run --json` says. */
interface Preview {
  readonly changes: readonly { readonly title: string }[];
  readonly steps: readonly { readonly step: string; readonly skipped?: string; readonly unknown: boolean }[];
}

const checkout = sharedCheckout();

describe('from nothing', () => {
  let preview: Preview;

  test('the preview lists steps and changes nothing', async () => {
    const { stdout, exitCode } = await checkout.run('up', '--dry-run', '--json');
    expect(exitCode).toBe(0);
    preview = JSON.parse(stdout);
    expect(await readdir(checkout.folder)).toEqual(['checkout']);
    // This program compiled, and nothing of a cluster.
    expect(await readdir(join(checkout.root, '.wealist'))).toEqual(['program']);
    if (await hasDocker()) expect(await listNodes(checkout)).toEqual([]);
  });

  // With an empty cache, Kubernetes and all else is built.
  test('up does what the preview said, and ends well', { timeout: 60 * 60_000 }, async () => {
    const { changed, steps, milliseconds } = await checkout.up();
    process.stderr.write(`up from nothing: ${(milliseconds / 1000).toFixed(1)} s\n`);
    expect(changed).toBe(true);
    // Only an engine that runs tells what a node takes of this machine: the preview, which starts none, cannot know.
    const cannotBeForeseen = ({ stage, step }: UpResult['steps'][number]) =>
      stage === 'This machine' &&
      preview.changes.length > 0 &&
      !preview.changes.some(({ title }) => title === step);
    const done = steps.filter(({ skipped }) => skipped === undefined);
    const applied = done.map(({ step }) => step);
    const pending = preview.steps.filter(({ skipped }) => skipped === undefined);
    const foreseen = done.filter((step) => !cannotBeForeseen(step)).map(({ step }) => step);
    expect(pending.map(({ step }) => step)).toEqual(expect.arrayContaining(foreseen));
    const certain = pending.filter(({ unknown }) => !unknown).map(({ step }) => step);
    // Images are loaded while the cluster is created. Waiting for the last service is most of what there is to wait for.
    const mayBeSpared = new Set(['load images', 'responses through the ingress']);
    expect(applied).toEqual(expect.arrayContaining(certain.filter((step) => !mayBeSpared.has(step))));
  });
});

describe('the platform', () => {
  let origin: string;
  let routes: Readonly<Record<string, string>>;

  beforeAll(async () => {
    const { addresses } = await checkout.up();
    origin = (addresses[0]?.url ?? '').replace(/\/$/, '');
    routes = await readRoutes(checkout);
  });

  test('every pod is ready, and the namespace lets only restricted ones in', async () => {
    expect(await listUnreadyPods(checkout, ...ours)).toEqual([]);
    // Those of the cluster itself come when they come: nothing of ours waits for them.
    await expect.poll(() => listUnreadyPods(checkout), { timeout: 120_000 }).toEqual([]);
    // The API server looks at the pods that are there when the standard they are held to changes.
    const { stderr } = await kubectl(
      checkout,
      ...['label', 'namespace', namespace, '--dry-run=server', '--overwrite'],
      'pod-security.kubernetes.io/enforce-version=v1.34',
    );
    expect(stderr).toBe('');
    const [found] = await listObjects(checkout, 'namespaces', `--field-selector=metadata.name=${namespace}`);
    expect(found?.metadata.labels).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'restricted' });
  });

  test('each service answers through the ingress, its prefix taken away', async () => {
    expect(Object.keys(routes)).toHaveLength(7);
    for (const [name, route] of Object.entries(routes)) {
      expect(await request(`${origin}/svc/${route}/health/ready`)).toMatchObject({ status: 200 });
      expect(await requestJson(`${origin}/svc/${route}/`)).toMatchObject({ name, ready: true });
    }
    expect(await request(`${origin}/`)).toMatchObject({
      status: 200,
      body: expect.stringContaining('<html'),
    });
  });

  test('whatever name it is called by', async () => {
    const host = 'some.name.example';
    expect(await request(`${origin}/svc/user/health/ready`, { host })).toMatchObject({ status: 200 });
    expect(await request(`${origin}/`, { host })).toMatchObject({ status: 200 });
  });

  test('each service reaches those that it calls', async () => {
    const bases = [...Object.values(routes).map((route) => `${origin}/svc/${route}`), origin];
    for (const base of bases) {
      const description = base === origin ? `${base}/service.json` : `${base}/`;
      const { routes } = await requestJson<{ routes: readonly string[] }>(description);
      const path = routes.find((route) => route.endsWith('/calls'))?.replace('GET ', '');
      const { calls } = await requestJson<{ calls: readonly object[] }>(`${base}${path}`);
      expect(calls.length).toBeGreaterThan(0);
      // Only the service itself says in which pod it runs.
      for (const call of calls) expect(call).toMatchObject({ ok: true, instance: expect.any(String) });
    }
  });

  test("the login's paths reach auth-service", async () => {
    for (const path of ['/oauth2/authorization/google', '/svc/auth/oauth2/authorization/google']) {
      const { status, body } = await request(`${origin}${path}`);
      expect({ path, status, body }).toMatchObject({
        status: 503,
        body: expect.stringContaining('login disabled'),
      });
    }
  });

  test('what services say to each other is closed from outside', async () => {
    for (const route of Object.values(routes)) {
      for (const path of [
        '/api/internal',
        '/api/internal/notifications',
        '/api//internal/notifications',
        '/api%2Finternal/notifications',
        '/health/../api/internal/notifications',
        '/%2e/api/internal/notifications',
      ]) {
        const { status, body } = await request(`${origin}/svc/${route}${path}`);
        expect([403, 404], `${route}${path}: ${status} ${body}`).toContain(status);
        // Not even the service itself, which would have told what it lacks.
        expect(body).not.toContain('{');
      }
    }
  });

  test('what is sent to an address that no Service has stays in the node', async () => {
    // Some networks answer at any address whatever.
    const ask = `require('node:net').connect(80, '10.96.255.250').setTimeout(5000)
      .on('connect', () => { console.log('answered'); process.exit() })
      .on('timeout', () => { console.log('nobody there'); process.exit() })`;
    const pod = ['exec', `--namespace=${namespace}`, 'deployment/auth-service', '--'];
    const { stdout } = await kubectl(checkout, ...pod, 'node', '--eval', ask);
    expect(stdout).toBe('nobody there');
  });

  test('a row is kept and read', async () => {
    const { id } = await requestJson<{ id: number }>(`${origin}/svc/user/api/users`, { text: 'Ada' });
    expect(await requestJson(`${origin}/svc/user/api/users/${id}`)).toMatchObject({ id, text: 'Ada' });
  });

  test('a file goes straight between a browser and S3, by addresses that were signed for it', async () => {
    const { upload, download } = await requestJson<{ upload: string; download: string }>(
      `${origin}/svc/storage/api/storage/files`,
      { text: 'notes.txt' },
    );
    expect(new URL(upload).hostname).toBe('s3.localhost');
    expect(await request(upload, { method: 'PUT', body: 'straight' })).toMatchObject({ status: 200 });
    expect(await request(download)).toEqual({ status: 200, body: 'straight' });
    const unsigned = download.replace(/\?.*$/, '');
    expect(await request(unsigned)).toMatchObject({ status: 403 });
  });

  test('a message comes back through the WebSocket', async () => {
    const socket = new WebSocket(`${origin.replace('http', 'ws')}/svc/chat/api/chats/ws/1`);
    const heard: unknown[] = [];
    socket.on('message', (data) => heard.push(JSON.parse(String(data))));
    await once(socket, 'open');
    await expect.poll(() => heard).toContainEqual({ type: 'joined', chat: 1 });
    // It goes through Redis, which a first subscription reaches a moment after it was asked for.
    await expect
      .poll(() => {
        socket.send('{"text":"hello"}');
        return heard;
      })
      .toContainEqual({ type: 'message', message: expect.objectContaining({ text: 'hello' }) });
    socket.close();
  });
});

describe('again', () => {
  test('a second up changes nothing, and writes neither with helm nor with docker', async () => {
    await checkout.up();
    const before = await readTraces();
    const result: UpResult = await checkout.up();
    process.stderr.write(`up with nothing to do: ${(result.milliseconds / 1000).toFixed(1)} s\n`);
    expect(result).toMatchObject({ changed: false });
    expect(await readTraces()).toEqual(before);
    // Two seconds is what it shall take; this many say that something is wrong, whatever else runs here.
    expect(result.milliseconds).toBeLessThan(10_000);
  });

  test('the preview finds nothing to do', async () => {
    await checkout.up();
    const { stdout, exitCode } = await checkout.run('up', '--dry-run');
    expect({ stdout, exitCode }).toEqual({ stdout: 'nothing to do\n', exitCode: 0 });
  });

  /** All that an `up` which does something would leave a trace in. */
  async function readTraces() {
    const objects = await Promise.all(
      ['deployments', 'statefulsets', 'configmaps', 'secrets', 'namespaces', 'storageclasses'].map(
        async (kind) =>
          (await listObjects(checkout, kind)).map(({ metadata }) => [kind, metadata.name, metadata.uid]),
      ),
    );
    return {
      objects,
      releases: await readReleases(checkout),
      images: await listImages(checkout),
      pods: (await listObjects(checkout, 'pods')).map(({ metadata }) => metadata.uid),
    };
  }
});

async function hasDocker(): Promise<boolean> {
  return listNodes(checkout).then(
    () => true,
    () => false,
  );
}
