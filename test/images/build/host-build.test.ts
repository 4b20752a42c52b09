import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import type { HostBuild } from '../../../src/config/host-build.ts';
import { createHostBuild } from '../../../src/images/build/host-build.ts';
import { readContext } from '../../../src/images/source/read-context.ts';
import { packLayer } from '../../../src/images/store/layer.ts';
import { openStore } from '../../../src/images/store/store.ts';
import { readTar } from '../../../src/images/store/tar.ts';
import { toImageConfig } from '../../../src/lib/oci.ts';
import { exec } from '../../../src/tools/exec.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

/** A compiler that writes its input and its platform into the file after -o, and what `made` says into the folder. */
const compiler = `#!/bin/sh
[ -n "$FAIL" ] && { echo 'main.go:1: syntax error' >&2; exit 2; }
mkdir -p "$(dirname "$2")"
cat main.go > "$2"
echo "$GOOS $GOARCH $CGO_ENABLED $OWN" >> "$2"
chmod 755 "$2"
`;

const dockerfile = `FROM golang:1.24 AS build
COPY service /src
FROM alpine
COPY service/migrations /migrations
COPY --from=build /out /app/api
`;

/** A source with a service that a command builds, and an engine that builds Dockerfiles. */
async function makeWorld(host: Partial<HostBuild> = {}, { rebuild = false } = {}) {
  const root = await makeTemporaryFolder();
  const write = async (path: string, content: string) => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  };
  await write('Dockerfile', dockerfile);
  await write('service/main.go', 'one\n');
  await write('service/migrations/1.sql', 'CREATE');
  await write('service/compile', compiler);
  await chmod(join(root, 'service/compile'), 0o755);
  const store = openStore(join(root, 'cache'));
  const images = new Map<string, string>();
  const command: HostBuild = {
    ...{ run: './compile -o {out}/api', in: 'service', env: { OWN: 'mine' } },
    files: [{ from: '{out}/api', to: '/app/api' }],
    ...host,
  };
  const source = { root, dockerfile: 'Dockerfile', context: '.', live: [], settings: {}, host: command };
  const world = { built: 0 };
  const builder = createHostBuild({
    ...{ exec, store, rebuild, architecture: 'arm64' },
    findImageId: async (reference) => images.get(reference),
  });
  const run = { signal: new AbortController().signal, report: () => {} };
  const build = () =>
    builder.build(
      {
        ...{ name: 'board', source, host: command, bases: [] },
        async buildDockerfile() {
          world.built += 1;
          const layers = [
            await store.putBlob(packLayer([{ path: 'app/api', content: 'of the Dockerfile' }])),
          ];
          return { layers, config: toImageConfig(layers, { Cmd: ['/app/api'] }, 'arm64') };
        },
      },
      run,
    );
  /** The uppermost layer of an image: path → mode and content. */
  const readTop = async ({ layers }: Awaited<ReturnType<typeof build>>) => {
    const files: Record<string, string> = {};
    for await (const entry of readTar(store.openBlob(layers.at(-1)?.digest ?? 'sha256:'))) {
      const content = (await buffer(entry)).toString();
      files[entry.header.name] = `${entry.header.mode?.toString(8)} ${content}`;
    }
    return files;
  };
  const hash = async () => (await readContext(source, { architecture: 'arm64' })).hash;
  return Object.assign(world, { root, write, images, build, readTop, hash });
}

describe('a service that a command on this machine builds', () => {
  test('is one layer with what the command made for the node, over the image of the Dockerfile', async () => {
    const { build, readTop } = await makeWorld();
    const image = await build();
    expect(image.layers).toHaveLength(2);
    // No folder is in it, which keeps the mode and owner that the Dockerfile gave it.
    expect(await readTop(image)).toEqual({ 'app/api': '755 one\nlinux arm64 0 mine\n' });
    const config = JSON.parse(image.config);
    expect(config).toMatchObject({ config: { Cmd: ['/app/api'] } });
    expect(config.rootfs.diff_ids).toEqual(image.layers.map(({ digest }) => digest));
    expect((await readdir(tmpdir())).filter((name) => name.startsWith('wealist-out-'))).toEqual([]);
  });

  test('needs the Dockerfile once: an edit of what its last stage copies, a base image or the Dockerfile builds it again', async () => {
    const world = await makeWorld();
    const { build, write, images, readTop } = world;
    await build();
    await write('service/main.go', 'two\n');
    expect(await readTop(await build())).toMatchObject({ 'app/api': '755 two\nlinux arm64 0 mine\n' });
    images.set('golang:1.24', 'sha256:another');
    await build();
    expect(world.built).toBe(1);
    await write('service/migrations/2.sql', 'ALTER');
    await build();
    expect(world.built).toBe(2);
    images.set('alpine', 'sha256:another');
    await build();
    expect(world.built).toBe(3);
    await write('Dockerfile', `${dockerfile}ENV A=1\n`);
    await build();
    expect(world.built).toBe(4);
  });

  test('a forced build runs the Dockerfile again, once', async () => {
    const world = await makeWorld({}, { rebuild: true });
    await world.build();
    await world.build();
    expect(world.built).toBe(1);
  });

  test('a folder replaces the one of the image below, and one file may be named by a pattern', async () => {
    const { build, write, readTop } = await makeWorld({
      run: 'true',
      files: [
        { from: 'dist', to: '/usr/share/nginx/html' },
        { from: 'libs/app-*.jar', to: '/app/app.jar' },
      ],
    });
    await write('service/dist/index.html', 'page');
    await write('service/dist/deep/a.js', 'script');
    await write('service/libs/app-1.jar', 'jar');
    await write('service/libs/app.txt', 'no jar');
    expect(await readTop(await build())).toEqual({
      'app/app.jar': '644 jar',
      'usr/share/nginx/html/.wh..wh..opq': '600 ',
      'usr/share/nginx/html/deep/a.js': '644 script',
      'usr/share/nginx/html/index.html': '644 page',
    });
  });

  test('a command that is not installed is exit code 3 with the way out', async () => {
    const { build } = await makeWorld({ run: 'no-such-compiler' });
    await expect(build()).rejects.toMatchObject({
      message: expect.stringContaining('no-such-compiler is not installed'),
      hint: 'install it, or set build: source for this service in env/local.yaml',
      exitCode: 3,
    });
  });

  test.each<[string, Partial<HostBuild>, string]>([
    ['that fails', { env: { FAIL: 'yes' } }, 'syntax error'],
    ['that makes nothing', { run: 'true' }, 'made nothing at'],
    ['whose files several match', { run: 'true', files: [{ from: '*.go', to: '/a' }] }, 'several match'],
  ])('a command %s is exit code 7 with the reason', async (_, host, reason) => {
    const { build, write } = await makeWorld(host);
    await write('service/other.go', '');
    const error = await build().catch((each) => each);
    expect(error).toMatchObject({ exitCode: 7 });
    expect(`${error.message} ${error.stderr ?? ''} ${error.cause ?? ''}`).toContain(reason);
  });

  test('has as source what the Dockerfile copies and the command, without what tools make there', async () => {
    const { hash, write } = await makeWorld({
      run: 'true',
      files: [{ from: 'libs/*.jar', to: '/app/app.jar' }],
    });
    await write('.gitignore', 'build\n');
    const before = await hash();
    await write('service/build/classes/a.class', 'made');
    await write('service/libs/app.jar', 'made');
    expect(await hash()).toBe(before);
    await write('service/main.go', 'another');
    expect(await hash()).not.toBe(before);
    const other = await makeWorld({ run: 'false' });
    expect(await other.hash()).not.toBe(await (await makeWorld({ run: 'true' })).hash());
  });
});
