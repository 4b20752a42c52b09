import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { createConnection } from '../../../src/tools/docker/connection.ts';
import { createDockerContainers } from '../../../src/tools/docker/containers.ts';
import { createDocker } from '../../../src/tools/docker/docker.ts';
import { createDockerImages } from '../../../src/tools/docker/images.ts';
import { exec } from '../../../src/tools/exec.ts';
import { docker as engine, type Routes, sendJson, startEngine } from '../../fakes/engine.ts';

async function connect(routes: Routes) {
  return createDocker({ socket: await startEngine(routes) }, exec);
}

const signal = new AbortController().signal;

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Lines of JSON, as the engine reports progress. */
function sendEvents(response: ServerResponse, events: readonly object[]): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(events.map((event) => `${JSON.stringify(event)}\r\n`).join(''));
}

test('child programs use the same engine, whatever the environment names', async () => {
  const socket = await startEngine();
  const docker = createDocker({ socket }, exec);
  expect(docker.env).toEqual({
    DOCKER_HOST: `unix://${socket}`,
    KIND_EXPERIMENTAL_PROVIDER: 'docker',
    DOCKER_DEFAULT_PLATFORM: '',
  });
});

test('an image, and one that is not there', async () => {
  const docker = await connect({
    'GET /images/a/b:1/json': {
      Id: 'sha256:1',
      RepoTags: ['a/b:1'],
      RepoDigests: null,
      Architecture: 'arm64',
      Os: 'linux',
      Size: 12,
      RootFS: { Type: 'layers', Layers: ['sha256:2', 'sha256:3'] },
      GraphDriver: { Name: 'overlay2', Data: { UpperDir: '/overlay/3', LowerDir: '/overlay/2' } },
      Config: { Labels: null },
    } as unknown as Routes[string],
  });
  expect(await docker.findImage('a/b:1', { signal })).toEqual({
    id: 'sha256:1',
    tags: ['a/b:1'],
    digests: [],
    architecture: 'arm64',
    os: 'linux',
    size: 12,
    layers: ['sha256:2', 'sha256:3'],
    layerFolders: ['/overlay/3', '/overlay/2'],
    labels: {},
    config: { Labels: null },
  });
  expect(await docker.findImage('a/b:2')).toBeUndefined();
});

test('a container that is being removed already is awaited until it is gone', async () => {
  const asked: string[] = [];
  const docker = await connect({
    'DELETE /containers/c1': (_, response) =>
      sendJson(response, 409, { message: 'removal of container c1 is already in progress' }),
    'POST /containers/c1/wait': ({ url }, response) => {
      asked.push(url ?? '');
      sendJson(response, 200, { StatusCode: 0 });
    },
    // One that was removed between the two requests.
    'DELETE /containers/c2': (_, response) =>
      sendJson(response, 409, { message: 'removal of container c2 is already in progress' }),
    'DELETE /containers/c3': (_, response) => sendJson(response, 409, { message: 'another conflict' }),
  });
  await docker.removeContainer('c1', { signal });
  expect(asked).toEqual([expect.stringContaining('condition=removed')]);
  await docker.removeContainer('c2', { signal });
  await expect(docker.removeContainer('c3', { signal })).rejects.toThrow('another conflict');
});

test('a stopped container has the ports it was made with', async () => {
  const summary = { Id: 'c1', Names: ['/node'], Image: 'i', State: 'exited', Labels: { k: 'v' }, Ports: [] };
  const docker = await connect({
    'GET /containers/json': [summary],
    'GET /containers/c1/json': {
      Id: 'c1',
      Name: '/node',
      Image: 'sha256:1',
      Config: { Image: 'i', Labels: { k: 'v' } },
      State: { Status: 'exited', ExitCode: 137, Error: '', StartedAt: '2026-01-01T00:00:00Z' },
      HostConfig: { PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8080' }], '9/tcp': null } },
      NetworkSettings: { Networks: { kind: { IPAddress: '' } } },
      Mounts: [{ Source: '/data', Destination: '/var/local' }],
    },
  });
  const ports = [{ address: '127.0.0.1', hostPort: 8080, containerPort: 80 }];
  expect(await docker.listContainers(['k=v'])).toEqual([expect.objectContaining({ name: 'node', ports })]);
  expect(await docker.findContainer('c1')).toMatchObject({
    state: 'exited',
    exitCode: 137,
    addresses: {},
    mounts: [{ source: '/data', destination: '/var/local' }],
  });
});

test('an unchanged state is not a failure; what does not exist need not be removed', async () => {
  const docker = await connect({
    'POST /containers/c1/start': (_, response) => response.writeHead(304).end(),
    'POST /containers/c1/stop': (_, response) => response.writeHead(304).end(),
  });
  await docker.startContainer('c1');
  await docker.stopContainer('c1', { seconds: 1 });
  await docker.removeContainer('c2');
  await docker.removeImage('nothing:1');
});

test('a rejected request has the message of the engine', async () => {
  const message = 'OCI runtime create failed: unable to apply caps: operation not permitted';
  const docker = await connect({
    'POST /containers/c1/start': (_, response) => sendJson(response, 500, { message }),
    'GET /images/get': (_, response) => sendJson(response, 500, { message: 'no such file' }),
  });
  await expect(docker.startContainer('c1')).rejects.toMatchObject({
    message: `starting container c1: ${message}`,
    exitCode: 3,
  });
  await expect(docker.saveImages(['a:1', 'b:1'])).rejects.toMatchObject({
    message: 'saving a:1, b:1: no such file',
  });
});

test('an engine that accepts requests and does not respond ends them, also in the middle of a response', async () => {
  const socket = await startEngine({
    'POST /containers/c1/start': () => {},
    'GET /images/get': (_, response) => void response.writeHead(200).write('half'),
    'GET /version': () => {},
  });
  const connection = createConnection(socket, { interval: 5, timeout: 20, limit: 60 });
  const hung = {
    message: 'the container engine has not responded for 0.1 s',
    exitCode: 3,
    hint: 'npm run doctor',
  };
  const containers = createDockerContainers(connection);
  await expect(containers.startContainer('c1')).rejects.toMatchObject(hung);
  const archive = await createDockerImages(connection, exec).saveImages(['a:1']);
  await expect(buffer(archive)).rejects.toMatchObject({ cause: hung });
});

test('a slow request of an engine that responds to others is not ended', async () => {
  let asked = 0;
  const socket = await startEngine({
    'GET /version': (_, response) => {
      asked += 1;
      sendJson(response, 200, engine.version);
    },
    'POST /containers/c1/start': (_, response) => void setTimeout(() => response.writeHead(204).end(), 200),
  });
  const connection = createConnection(socket, { interval: 5, limit: 60_000 });
  await createDockerContainers(connection).startContainer('c1');
  expect(asked).toBeGreaterThan(0);
});

test('an engine that went away', async () => {
  const docker = createDocker({ socket: '/nowhere/docker.sock' }, exec);
  await expect(docker.findImage('a:1')).rejects.toMatchObject({
    message: 'the container engine stopped responding',
    hint: 'npm run doctor',
  });
});

test('loaded: the names the engine reports; an error in the middle of its response counts', async () => {
  let received = '';
  const docker = await connect({
    'POST /images/load': async (request, response) => {
      received = (await bodyOf(request)).toString();
      if (received === 'broken') sendEvents(response, [{ stream: 'x' }, { error: 'unexpected EOF' }]);
      else
        sendEvents(response, [
          { stream: 'Loaded image: a/b:1\n' },
          { stream: 'Loaded image ID: sha256:9\n' },
        ]);
    },
  });
  expect(await docker.loadImages(Readable.from([Buffer.from('a tar')]))).toEqual(['a/b:1', 'sha256:9']);
  expect(received).toBe('a tar');
  const broken = docker.loadImages(Readable.from([Buffer.from('broken')]));
  await expect(broken).rejects.toMatchObject({ message: 'loading images into the engine: unexpected EOF' });
});

test('a full disk has its own hint', async () => {
  const docker = await connect({
    'POST /images/load': (request, response) => {
      request
        .resume()
        .on('end', () => sendEvents(response, [{ error: 'write /x: no space left on device' }]));
    },
  });
  await expect(docker.loadImages(Readable.from(['x']))).rejects.toMatchObject({
    hint: 'npm run images -- prune',
  });
});

test('a port that another program has is exit code 4', async () => {
  const message = 'driver failed: Bind for 127.0.0.1:80 failed: port is already allocated';
  const docker = await connect({
    'POST /containers/c1/start': (_, response) => sendJson(response, 500, { message }),
  });
  await expect(docker.startContainer('c1')).rejects.toMatchObject({ hint: 'npm run up', exitCode: 4 });
});

test('an imported image gets its name and what it is started with', async () => {
  let asked = new URLSearchParams();
  const docker = await connect({
    'POST /images/create': (request, response) => {
      asked = new URL(request.url ?? '', 'http://x').searchParams;
      request.resume().on('end', () => sendEvents(response, [{ status: 'sha256:1' }]));
    },
  });
  await docker.importImage(Readable.from(['tar']), 'localhost:5000/a/b:1', { changes: ['CMD ["/x"]'] });
  expect(Object.fromEntries(asked)).toMatchObject({
    fromSrc: '-',
    repo: 'localhost:5000/a/b',
    tag: '1',
    changes: 'CMD ["/x"]',
  });
});

test("a network's MTU, where it was set", async () => {
  const docker = await connect({
    'GET /networks/kind': { Options: { 'com.docker.network.driver.mtu': '1400' } },
    'GET /networks/bridge': { Options: {} },
  });
  expect(await docker.findNetworkMtu('kind')).toBe(1400);
  expect(await docker.findNetworkMtu('bridge')).toBeUndefined();
  expect(await docker.findNetworkMtu('none')).toBeUndefined();
});

test('Ctrl-C does not wait for an engine that does not respond', async () => {
  const run = new AbortController();
  const docker = await connect({ 'GET /containers/json': () => run.abort(new Error('stop')) });
  await expect(docker.listContainers([], { signal: run.signal })).rejects.toThrow('stop');
  await expect(docker.listContainers([], { signal: run.signal })).rejects.toThrow('stop');
});

test("BuildKit's cache is measured without what is used or shared, and pruned to a size", async () => {
  const requests: string[] = [];
  const docker = await connect({
    'GET /system/df': {
      BuildCache: [
        { Size: 10, InUse: false, Shared: false },
        { Size: 20, InUse: true, Shared: false },
        { Size: 40, InUse: false, Shared: true },
        { Size: 80, InUse: false, Shared: false },
      ],
    },
    'POST /build/prune': (request, response) => {
      requests.push(request.url ?? '');
      sendJson(response, 200, { SpaceReclaimed: 40 });
    },
  });
  expect(await docker.measureBuildCache({ signal })).toBe(90);
  expect(await docker.pruneBuildCache(50, { signal })).toBe(40);
  expect(requests).toEqual(['/build/prune?keep-storage=50']);
});
