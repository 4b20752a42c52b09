import { once } from 'node:events';
import { type Agent, createServer, get } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished } from 'vitest';
import type { Protocol } from '../../src/forward/error-response.ts';
import { createForward } from '../../src/forward/forward.ts';
import { createPodTracker } from '../../src/forward/pod-tracker.ts';
import { createApiServer } from '../../src/tools/kubernetes/api-server.ts';
import { findComponent } from '../../src/tools/kubernetes/objects.ts';
import { dialPod } from '../../src/tools/kubernetes/port-forward.ts';
import { listenOnLoopback } from '../../src/tools/loopback.ts';
import { startApiServer } from './api-server.ts';
import { makePod, ready } from './cluster-objects.ts';

export const labels = { 'app.kubernetes.io/part-of': 'wealist', 'app.kubernetes.io/name': 'auth-service' };
export const readyPod = (name: string, created: string) =>
  makePod(name, 'auth', { labels, conditions: ready, created });

/** Starts an HTTP server that responds to each request with its name. */
export async function startProgram(name: string): Promise<number> {
  const server = createServer((_, response) => response.end(name));
  return listenOn(server);
}

export async function listenOn(server: ReturnType<typeof createTcpServer> | ReturnType<typeof createServer>) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    if ('closeAllConnections' in server) server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

export async function freePort(): Promise<number> {
  const server = createTcpServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A cluster in memory and a local port that forwards to its auth-service. */
export async function startForward({
  timeout = 5_000,
  maxWaiting = 256,
  protocol = 'http' as Protocol,
} = {}) {
  const fake = await startApiServer();
  const api = createApiServer({ server: fake.url });
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const namespace = 'wealist-kind-local';
  const tracker = createPodTracker(api, {
    namespace,
    componentOf: findComponent,
    signal: stop.signal,
    interval: 20,
  });
  tracker.run().catch(() => {});
  const notified: boolean[] = [];
  const forward = createForward(
    {
      find() {
        const pod = tracker.findReady('auth-service');
        if (!pod) return undefined;
        const { name, uid } = pod.metadata;
        return {
          key: uid,
          dial: (gone) => dialPod(api, { namespace, pod: name, port: 8080 }, gone),
          waitUntilTerminating: (gone) => tracker.waitUntilTerminating(pod, gone),
        };
      },
      waitForChange: tracker.waitForChange,
    },
    {
      ...{ protocol, timeout, maxWaiting, notifyAfter: 50, signal: stop.signal },
      explain: async (why) => `auth-service is not ready: ${why}`,
      onWaiting: (isWaiting) => notified.push(isWaiting),
    },
  );
  onTestFinished(() => forward.close());
  const failures: unknown[] = [];
  const listener = await listenOnLoopback(await freePort(), (connection) => {
    forward.serve(connection).catch((error) => failures.push(error));
  });
  if (!listener) throw new Error('the port is in use');
  onTestFinished(() => listener.close());
  onTestFinished(() => expect(failures).toEqual([]));

  return {
    fake,
    notified,
    port: listener.port,
    /** Adds a pod whose program responds with the pod's name. */
    async addPod(name: string, created: string): Promise<void> {
      fake.ports.set(name, await startProgram(name));
      fake.setPod(readyPod(name, created));
    },
    ask: (agent?: Agent) =>
      new Promise<string>((resolve, reject) => {
        const request = get({ port: listener.port, host: '127.0.0.1', agent: agent ?? false }, (response) => {
          text(response).then(resolve, reject);
        });
        request.on('error', reject);
      }),
  };
}
