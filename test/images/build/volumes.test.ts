import { expect, test } from 'vitest';
import {
  listAdditions,
  listVolumes,
  withRestart,
  withTmp,
  withVolumes,
} from '../../../src/images/build/volumes.ts';
import { packLayer } from '../../../src/images/store/layer.ts';
import { openStore } from '../../../src/images/store/store.ts';
import { readTar } from '../../../src/images/store/tar.ts';
import { toImageConfig } from '../../../src/lib/oci.ts';
import { environment } from '../../fakes/app.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

const live = [
  { from: 'app/web', to: '/srv/web', build: 'source' as const },
  { from: 'services/board', to: '/app', build: 'stand-in' as const },
];
const board = { port: 8000, needs: [], standIn: 'services/board', build: 'auto' as const, live };
const services = { ...environment, services: { board } };

test("volumes of an image are /tmp and the service's live folders for this kind of build", () => {
  expect(listVolumes(services, 'board', { isStandIn: true })).toEqual(['/tmp', '/app']);
  expect(listVolumes(services, 'board', { isStandIn: false })).toEqual(['/tmp', '/srv/web']);
});

test("they are added to the image's own volumes, and nothing else changes", () => {
  const image = {
    config: toImageConfig([], { Cmd: ['run'], Volumes: { '/data': {} } }, 'amd64'),
    layers: [],
  };
  const { config, layers } = withVolumes(image, ['/tmp']);
  const before = JSON.parse(image.config);
  const volumes = { '/data': {}, '/tmp': {} };
  expect(JSON.parse(config)).toEqual({ ...before, config: { ...before.config, Volumes: volumes } });
  expect(layers).toEqual([]);
});

test('a program that is to be restarted is started through a shell, and its image is another one', () => {
  const container = { Entrypoint: ['/app/run', '--all'], Cmd: ['serve'], StopSignal: 'SIGQUIT' };
  const image = { config: toImageConfig([], container, 'amd64'), layers: [] };
  const restarted = live.map((each) => ({ ...each, then: 'restart' as const }));
  expect(withRestart(image, live)).toBe(image);
  const { config } = JSON.parse(withRestart(image, restarted).config);
  expect(config).toMatchObject({ Cmd: ['serve'], StopSignal: 'SIGQUIT' });
  expect(config.Entrypoint.slice(0, 2)).toEqual(['/bin/sh', '-c']);
  expect(config.Entrypoint.slice(3)).toEqual(['wealist-restart', '/app/run', '--all']);
  const other = { ...environment, services: { board: { ...board, live: restarted } } };
  const kind = { isStandIn: false };
  expect(listAdditions(services, 'board', kind)).toEqual(listVolumes(services, 'board', kind));
  expect(listAdditions(other, 'board', kind)).not.toEqual(listAdditions(services, 'board', kind));
});

test('an image gets a world-writable /tmp as its last layer, in its configuration and history', async () => {
  const store = openStore(await makeTemporaryFolder());
  const below = await store.putBlob(packLayer([{ path: 'run', content: 'run' }]));
  const own = {
    rootfs: { type: 'layers', diff_ids: [below.digest] },
    history: [{ created_by: 'COPY run /' }],
  };
  const image = await withTmp({ config: JSON.stringify(own), layers: [below] }, store);
  const [, top] = image.layers;
  expect(JSON.parse(image.config)).toEqual({
    rootfs: { type: 'layers', diff_ids: [below.digest, top?.digest] },
    history: [{ created_by: 'COPY run /' }, { created_by: 'wealist-local: folder /tmp' }],
  });
  const entries: object[] = [];
  for await (const entry of readTar(store.openBlob(top?.digest ?? below.digest))) {
    entries.push({ name: entry.header.name, type: entry.header.type, mode: entry.header.mode });
    entry.resume();
  }
  expect(entries).toEqual([{ name: 'tmp/', type: 'directory', mode: 0o1777 }]);
});
