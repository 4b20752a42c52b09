import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { baseOf, loadBase } from './base-image.ts';
import { docker } from './cluster.ts';
import { request } from './ingress.ts';
import { sharedCheckout, test } from './shared-checkout.ts';

const checkout = sharedCheckout();
const source = join(checkout.folder, 'source');
const program = join(source, 'services/noti-service/server.js');
const base = baseOf(checkout);
let origin = '';

/** An image that docker/base/own/Dockerfile of the source builds. */
const ownBase = `local/own:${checkout.name}`;
const greeting = (text: string) => `FROM ${base}\nENV GREETING=${text}\n`;

/**
 * Only BuildKit knows --chmod, and no registry has the front end of the first line here. The program is not where a
 * stand-in's is.
 */
const dockerfile = `# syntax=docker/dockerfile:1.4
FROM ${ownBase}
COPY --chmod=0644 services/noti-service/server.js /srv/server.js
COPY services/noti-service/dist /srv/dist
CMD ["node", "/srv/server.js"]
`;

const serverThatSays = (text: string, port = 8002) => `
  const { createServer } = require('node:http');
  const { readFileSync } = require('node:fs');
  const answer = ({ url }) =>
    url === '/greeting' ? process.env.GREETING
    : url === '/dist' ? readFileSync('/srv/dist/index.html', 'utf8')
    : ${JSON.stringify(text)};
  const server = createServer((request, response) => response.end(answer(request))).listen(${port});
  process.on('SIGTERM', () => server.close(() => process.exit(0)));
`;

const write = async (path: string, content: string) => {
  await mkdir(dirname(join(source, path)), { recursive: true });
  await writeFile(join(source, path), content);
};

/** Service → fresh, live or stale. */
async function readFreshness(): Promise<Record<string, string>> {
  const { parts } = JSON.parse((await checkout.run('status', '--json')).stdout) as {
    readonly parts: readonly { readonly name: string; readonly freshness?: { readonly state: string } }[];
  };
  return Object.fromEntries(parts.map(({ name, freshness }) => [name, freshness?.state ?? '']));
}

beforeAll(async () => {
  origin = (await checkout.up()).addresses[0]?.url ?? '';
  await loadBase(checkout);
  await write('docker/base/own/Dockerfile', greeting('one'));
  await write('services/noti-service/docker/Dockerfile', dockerfile);
  await write('services/noti-service/dist/index.html', 'page one');
  await writeFile(program, serverThatSays('from its own source'));
  // Its context is the same folder.
  await write(
    'services/chat-service/docker/Dockerfile',
    `FROM ${base} AS build\nCOPY services/chat-service /srv\nFROM ${base}\nCOPY --from=build /srv /srv\nCMD ["node", "/srv/server.js"]\n`,
  );
  await write('services/chat-service/server.js', serverThatSays('chat', 8001));
  await writeFile(join(checkout.root, 'env/local.yaml'), `source: ${JSON.stringify(source)}\n`);
});

afterAll(async () => {
  await rm(join(checkout.root, 'env/local.yaml'), { force: true });
  const names = ['noti-service', 'chat-service'].map((name) => `wealist.local/${name}`);
  const built = await Promise.all(
    names.map((name) => docker('images', '--format={{.Repository}}:{{.Tag}}', name)),
  );
  await docker('image', 'rm', '--force', base, ownBase, ...built.flat());
});

describe('a service with a Dockerfile in a checkout of weAlist', () => {
  test('stays a stand-in until up, and is then started as its image says', async () => {
    expect(await checkout.run('reload', 'noti-service')).toMatchObject({
      stderr: expect.stringContaining(
        'noti-service was deployed as a stand-in, and is built from its source now',
      ),
      exitCode: 8,
    });
    expect(await checkout.up()).toMatchObject({ changed: true });
    expect(await request(`${origin}svc/noti/`)).toEqual({ status: 200, body: 'from its own source' });
    // Those without one there stay stand-ins.
    expect(await request(`${origin}svc/user/health/ready`)).toMatchObject({ status: 200 });
  });

  test('unchanged, it is not built again', async () => {
    expect(await checkout.up()).toMatchObject({ changed: false });
  });

  test('changed, it is reloaded', async () => {
    await writeFile(program, serverThatSays('changed'));
    const { exitCode, stdout, stderr } = await checkout.run('reload', 'noti-service', '--verbose');
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    // Of the engine only the layer that is new was read.
    expect(stderr).not.toContain('reading the whole image');
    process.stderr.write(stdout);
    expect(await request(`${origin}svc/noti/`)).toEqual({ status: 200, body: 'changed' });
  });

  test('an edit of one service leaves another one with the same context fresh', async () => {
    await write('services/chat-service/notes.md', 'for chat only');
    expect(await readFreshness()).toMatchObject({ 'chat-service': 'stale', 'noti-service': 'fresh' });
    await rm(join(source, 'services/chat-service/notes.md'));
    expect(await readFreshness()).toMatchObject({ 'chat-service': 'fresh', 'noti-service': 'fresh' });
  });

  test('what the Dockerfile copies from dist counts, and its base image is built again from its own Dockerfile', async () => {
    await write('services/noti-service/dist/index.html', 'page two');
    expect(await checkout.run('reload', 'noti-service')).toMatchObject({ exitCode: 0 });
    expect(await request(`${origin}svc/noti/dist`)).toEqual({ status: 200, body: 'page two' });
    expect(await request(`${origin}svc/noti/greeting`)).toEqual({ status: 200, body: 'one' });
    await write('docker/base/own/Dockerfile', greeting('two'));
    expect(await readFreshness()).toMatchObject({ 'chat-service': 'fresh', 'noti-service': 'stale' });
    expect(await checkout.run('reload', 'noti-service')).toMatchObject({ exitCode: 0 });
    expect(await request(`${origin}svc/noti/greeting`)).toEqual({ status: 200, body: 'two' });
  });

  test('its front end is the one of the engine, which is said, and --no-cache builds all the same', async () => {
    const { exitCode, stdout, stderr } = await checkout.run(
      'reload',
      '--no-cache',
      '--verbose',
      'noti-service',
    );
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining('docker/dockerfile:1.4 of line 1 cannot be pulled'),
    });
    expect(stdout).toMatch(/^noti-service runs /);
    expect(await checkout.run('reload', 'noti-service')).toMatchObject({
      stdout: expect.stringContaining('already running'),
    });
  });

  test('a command on this machine builds it over the image of its Dockerfile, which is built once', async () => {
    const build =
      "const { readFileSync, writeFileSync } = require('node:fs');\nwriteFileSync(process.argv[2], readFileSync('server.js', 'utf8').replace('chat', 'chat of the host'));\n";
    await write('services/chat-service/build.cjs', build);
    await writeFile(
      join(checkout.root, 'env/local.yaml'),
      [
        `source: ${JSON.stringify(source)}`,
        'services:',
        '  chat-service:',
        '    build: host',
        '    host:',
        '      run: node build.cjs {out}/server.js',
        '      in: services/chat-service',
        '      files: [{ from: "{out}/server.js", to: /srv/server.js }]',
        '',
      ].join('\n'),
    );
    const first = await checkout.run('reload', 'chat-service', '--verbose');
    expect({ exitCode: first.exitCode, stderr: first.stderr }).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining(
        'building the last stage of services/chat-service/docker/Dockerfile once',
      ),
    });
    expect(await request(`${origin}svc/chat/`)).toEqual({ status: 200, body: 'chat of the host' });
    await write('services/chat-service/build.cjs', build.replace('of the host', 'again'));
    const second = await checkout.run('reload', 'chat-service', '--verbose');
    expect({ exitCode: second.exitCode, stderr: second.stderr }).toMatchObject({
      exitCode: 0,
      stderr: expect.not.stringContaining('building the last stage'),
    });
    process.stderr.write(second.stdout);
    expect(await request(`${origin}svc/chat/`)).toEqual({ status: 200, body: 'chat again' });
    expect(await readFreshness()).toMatchObject({ 'chat-service': 'fresh', 'noti-service': 'fresh' });
  });

  test('a Dockerfile that fails is exit code 7 with its step, and the old pods serve', async () => {
    const file = join(source, 'services/noti-service/docker/Dockerfile');
    await writeFile(file, `${dockerfile}RUN ["node", "--eval", "throw new Error('no such luck')"]\n`);
    const { stderr, exitCode } = await checkout.run('reload', 'noti-service');
    expect({ stderr, exitCode }).toMatchObject({
      stderr: expect.stringContaining('no such luck'),
      exitCode: 7,
    });
    expect(await request(`${origin}svc/noti/`)).toEqual({ status: 200, body: 'changed' });
  });
});
