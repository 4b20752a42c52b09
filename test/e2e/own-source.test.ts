import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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

/** Only BuildKit knows --chmod. The program is not where a stand-in's is. */
const dockerfile = `
FROM ${base}
COPY --chmod=0644 services/noti-service/server.js /srv/server.js
CMD ["node", "/srv/server.js"]
`;

const serverThatSays = (text: string) => `
  const { createServer } = require('node:http');
  const server = createServer((request, response) => response.end(${JSON.stringify(text)})).listen(8002);
  process.on('SIGTERM', () => server.close(() => process.exit(0)));
`;

beforeAll(async () => {
  origin = (await checkout.up()).addresses[0]?.url ?? '';
  await loadBase(checkout);
  await mkdir(join(source, 'services/noti-service/docker'), { recursive: true });
  await writeFile(join(source, 'services/noti-service/docker/Dockerfile'), dockerfile);
  await writeFile(program, serverThatSays('from its own source'));
  await writeFile(join(checkout.root, 'env/local.yaml'), `source: ${JSON.stringify(source)}\n`);
});

afterAll(async () => {
  await rm(join(checkout.root, 'env/local.yaml'), { force: true });
  const built = await docker('images', '--format={{.Repository}}:{{.Tag}}', 'wealist.local/noti-service');
  await docker('image', 'rm', '--force', base, ...built);
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
