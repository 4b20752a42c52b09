import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createDocker } from '../../../src/tools/docker/docker.ts';
import { exec } from '../../../src/tools/exec.ts';
import { findRegistryLogin } from '../../../src/tools/registry/login.ts';
import { PullFailure, registryOf, toProblem } from '../../../src/tools/registry/pull.ts';
import { type Routes, sendJson, startEngine } from '../../fakes/engine.ts';
import { makeHost } from '../../fakes/host.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

const run = () => {
  const reports: string[] = [];
  return { signal: new AbortController().signal, report: (line: string) => reports.push(line), reports };
};

async function pull(image: string, answer: Routes[string], options = run()) {
  const docker = createDocker({ socket: await startEngine({ 'POST /images/create': answer }) }, exec);
  await docker.pullImage(image, options);
  return options.reports;
}

test('progress is the sum over the layers', async () => {
  let asked: string | undefined;
  const events = [
    { status: 'Pulling from library/postgres', id: '17' },
    { status: 'Pulling fs layer', progressDetail: {}, id: 'aaa' },
    { status: 'Downloading', progressDetail: { current: 1_000_000, total: 10_000_000 }, id: 'aaa' },
    { status: 'Downloading', progressDetail: { current: 2_000_000, total: 30_000_000 }, id: 'bbb' },
    { status: 'Download complete', progressDetail: {}, id: 'aaa' },
    { status: 'Extracting', progressDetail: { current: 1, total: 9 }, id: 'aaa' },
    { status: 'Status: Downloaded newer image' },
  ];
  const reports = await pull('docker.io/library/postgres:17', (request, response) => {
    asked = new URL(request.url ?? '', 'http://x').searchParams.get('fromImage') ?? undefined;
    response.end(events.map((event) => JSON.stringify(event)).join('\n'));
  });
  expect(asked).toBe('docker.io/library/postgres:17');
  expect(reports).toEqual(['1.0 MB of 10 MB', '3.0 MB of 40 MB', '12 MB of 40 MB', 'unpacking layer aaa']);
});

test('a failure has the registry, the reason and the problem', async () => {
  const message =
    'Get "https://registry.example/v2/": dial tcp: lookup registry.example on 10.0.0.1:53: no such host';
  const failed = pull('registry.example/a:1', (_, response) => sendJson(response, 500, { message }));
  const failure = await failed.catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(PullFailure);
  expect(failure).toMatchObject({
    message: 'registry registry.example cannot be reached for registry.example/a:1',
    cause: new Error(message),
    problem: 'unreachable',
    registry: 'registry.example',
    exitCode: 7,
  });
});

test('a failure in the middle of a download', async () => {
  const failed = pull('a/b:1', (_, response) => {
    response.end('{"status":"Pulling"}\n{"error":"write /var/lib/docker: no space left on device"}\n');
  });
  await expect(failed).rejects.toMatchObject({
    problem: 'disk',
    exitCode: 3,
    hint: 'npm run images -- prune',
  });
});

test('Ctrl-C in the middle of a download', async () => {
  const stopping = new AbortController();
  const failed = pull(
    'a/b:1',
    (_, response) => {
      response.write('{"status":"Downloading","id":"a","progressDetail":{"current":1,"total":2}}\n');
    },
    { ...run(), signal: stopping.signal, report: () => stopping.abort(new Error('stop')) as never },
  );
  await expect(failed).rejects.toThrow('stop');
});

test.each([
  ['manifest for postgres:99 not found: manifest unknown: manifest unknown', 'not-found'],
  ["pull access denied for nope, repository does not exist or may require 'docker login'", 'not-found'],
  [
    'failed to resolve reference "docker.io/library/nope:1": docker.io/library/nope:1: not found',
    'not-found',
  ],
  ['dial tcp 127.0.0.1:5999: connect: connection refused', 'unreachable'],
  ['net/http: request canceled while waiting for connection (Client.Timeout exceeded)', 'unreachable'],
  ['Get "https://r/v2/": context deadline exceeded', 'unreachable'],
  ['Get "https://r/v2/": net/http: TLS handshake timeout', 'unreachable'],
  ['received unexpected HTTP status: 503 Service Unavailable', 'unreachable'],
  ['unexpected status from HEAD request to https://r/v2/x: 502 Bad Gateway', 'unreachable'],
  ['Get "https://r/v2/": EOF', 'unreachable'],
  ['toomanyrequests: You have reached your unauthenticated pull rate limit.', 'rate-limited'],
  ['unexpected status code 429 Too Many Requests', 'rate-limited'],
  ['Get "https://r/v2/": x509: certificate signed by unknown authority', 'certificate'],
  ['no matching manifest for linux/arm64/v8 in the manifest list entries', 'platform'],
  ['unauthorized: authentication required', 'unauthorized'],
  ['no basic auth credentials', 'unauthorized'],
  ['failed to register layer: write /x: no space left on device', 'disk'],
  ['something nobody has seen', 'other'],
])('%s', (message, problem) => {
  expect(toProblem(message)).toBe(problem);
});

test('the registry of a name', () => {
  expect(
    ['postgres:17', 'library/postgres', 'localhost/a', 'localhost:5000/a:1', 'r.example/a/b@sha256:0'].map(
      registryOf,
    ),
  ).toEqual(['docker.io', 'docker.io', 'localhost', 'localhost:5000', 'r.example']);
});

async function makeConfig(config: object): Promise<NodeJS.ProcessEnv> {
  const folder = join(await makeTemporaryFolder(), 'docker');
  await mkdir(folder);
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  return { DOCKER_CONFIG: folder };
}

test('a login from the file; a password may have colons', async () => {
  const auth = Buffer.from('ada:pass:word').toString('base64');
  const env = await makeConfig({ auths: { 'r.example': { auth }, 'https://index.docker.io/v1/': { auth } } });
  expect(await findRegistryLogin('r.example', exec, env)).toEqual({
    username: 'ada',
    password: 'pass:word',
    serveraddress: 'r.example',
  });
  expect(await findRegistryLogin('docker.io', exec, env)).toMatchObject({
    serveraddress: 'https://index.docker.io/v1/',
  });
  expect(await findRegistryLogin('other.example', exec, env)).toBeUndefined();
});

test('a login from a credential helper, asked on its stdin', async () => {
  const { exec: run, calls } = await makeHost({
    programs: {
      'docker-credential-safe':
        'read -r key; echo "{\\"ServerURL\\":\\"$key\\",\\"Username\\":\\"<token>\\",\\"Secret\\":\\"s3\\"}"',
    },
  });
  const env = await makeConfig({ credHelpers: { 'r.example': 'safe' }, credsStore: 'absent' });
  expect(await findRegistryLogin('r.example', run, env)).toEqual({
    username: '',
    password: '',
    serveraddress: 'r.example',
    identitytoken: 's3',
  });
  expect(await calls()).toEqual(['docker-credential-safe get']);
  expect(await findRegistryLogin('other.example', run, env)).toBeUndefined();
});

test('a stored login travels with the pull, in a header', async () => {
  const auth = Buffer.from('ada:secret').toString('base64');
  const env = await makeConfig({ auths: { 'r.example': { auth } } });
  const before = process.env.DOCKER_CONFIG;
  process.env.DOCKER_CONFIG = env.DOCKER_CONFIG;
  let header: unknown;
  let url: string | undefined;
  try {
    await pull('r.example/a:1', (request, response) => {
      header = request.headers['x-registry-auth'];
      url = request.url;
      response.end('{}');
    });
  } finally {
    if (before === undefined) delete process.env.DOCKER_CONFIG;
    else process.env.DOCKER_CONFIG = before;
  }
  expect(JSON.parse(Buffer.from(String(header), 'base64url').toString())).toMatchObject({
    username: 'ada',
    password: 'secret',
  });
  expect(url).not.toContain('secret');
});
