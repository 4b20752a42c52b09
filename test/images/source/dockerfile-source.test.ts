import { mkdir, realpath, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Environment } from '../../../src/config/schema.ts';
import { findDockerfile } from '../../../src/images/source/dockerfile-source.ts';
import { environment } from '../../fakes/app.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

describe('the Dockerfile of a service', () => {
  type Service = Environment['services'][string];

  async function find(service: Partial<Service>, source?: string) {
    const root = await makeTemporaryFolder();
    await mkdir(join(root, 'docker'));
    await writeFile(join(root, 'docker/Dockerfile'), 'FROM scratch');
    const board: Service = {
      ...{ port: 8000, needs: [], standIn: 'services/board', build: 'auto', live: [] },
      ...service,
    };
    const { source: _, ...rest } = environment;
    const wanted = { ...rest, ...(source === undefined ? {} : { source: root }), services: { board } };
    const found = await findDockerfile(wanted, 'board', '/somewhere');
    return { root, found };
  }

  test('is the one that the environment names', async () => {
    const { root, found } = await find({ dockerfile: 'docker/Dockerfile', context: 'docker' }, 'here');
    expect(found).toEqual({
      root,
      dockerfile: 'docker/Dockerfile',
      context: 'docker',
      live: [],
      settings: {},
    });
  });

  test('is found through a link to the checkout, by its real path', async () => {
    const root = await makeTemporaryFolder();
    await mkdir(join(root, 'wealist/docker'), { recursive: true });
    await writeFile(join(root, 'wealist/docker/Dockerfile'), 'FROM scratch');
    await symlink('wealist', join(root, 'link'));
    const board: Service = {
      ...{ port: 8000, needs: [], standIn: 'services/board', build: 'auto', dockerfile: 'docker/Dockerfile' },
      live: [
        { from: 'web', to: '/srv', build: 'source' },
        { from: 'services/board', to: '/app', build: 'stand-in' },
      ],
    };
    const wanted = { ...environment, source: 'link', services: { board } };
    expect(await findDockerfile(wanted, 'board', root)).toMatchObject({
      root: await realpath(join(root, 'wealist')),
      live: ['web'],
    });
  });

  test.each<[string, Partial<Service>, string?]>([
    ['without a source', { dockerfile: 'docker/Dockerfile' }],
    ['that shall be its stand-in', { dockerfile: 'docker/Dockerfile', build: 'stand-in' }, 'here'],
    ['whose Dockerfile does not exist', { dockerfile: 'other/Dockerfile' }, 'here'],
    ['whose Dockerfile is a folder', { dockerfile: 'docker' }, 'here'],
    ['that names none', {}, 'here'],
  ])('is none for one %s', async (_, service, source) => {
    expect((await find(service, source)).found).toBeUndefined();
  });

  test('must exist when the environment requires it', async () => {
    await expect(find({ dockerfile: 'other/Dockerfile', build: 'source' }, 'here')).rejects.toMatchObject({
      message: expect.stringMatching(/^services\.board has no Dockerfile at \/.*\/other\/Dockerfile$/),
      exitCode: 2,
    });
  });
});
