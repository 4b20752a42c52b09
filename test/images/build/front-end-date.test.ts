import { stat } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { withBuiltInFrontEnd } from '../../../src/images/build/front-end.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

test('copies of Dockerfiles of one size have one date only if their content is the same', async () => {
  const root = await makeTemporaryFolder();
  const source = { root, dockerfile: 'Dockerfile', context: '.', live: [], settings: {} };
  const frontEnd = { image: 'docker/dockerfile:1.4', line: 1 };
  const dateOf = (name: string) =>
    withBuiltInFrontEnd(
      source,
      { text: `# syntax=docker/dockerfile:1.4\nFROM base\nCOPY ${name} /\n`, frontEnd },
      async (path) => (await stat(path)).mtimeMs,
    );
  const [chat, noti, again] = await Promise.all([dateOf('chat'), dateOf('noti'), dateOf('chat')]);
  expect(noti).not.toBe(chat);
  expect(again).toBe(chat);
});
